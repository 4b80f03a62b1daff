"""The decisions of the redemption service that need no database."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.redemption.activations.rules import (
    ACTIVATION_SYMBOLS,
    read_activation_code,
    shown_activation_code,
)
from services.redemption.imports.rules import KnownInstitution, plan_import, read_entry
from services.redemption.institutions.rules import (
    Admission,
    DirectoryEntry,
    accepts_faults,
    credit_code_fault,
)
from services.redemption.offline.rules import INVALID, item_fault, result_of, rounds
from services.redemption.reporting.rules import Totals, add_up
from services.redemption.terminals.rules import TerminalKeys
from services.redemption.writeoff.rules import applied_fen, storable, time_fault
from shared.ids import ALPHABET, new_id
from shared.metrics.store import Figure

NOW = datetime(2020, 11, 1, 3, 0, tzinfo=UTC)
DIRECTORY = Path(__file__).resolve().parents[3] / "deploy" / "demo_data" / "institutions.yaml"
CREDIT_SYMBOLS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


class TestTimeOfUse:
    @pytest.mark.parametrize(
        ("offset", "fault"),
        [
            (timedelta(0), None),
            (timedelta(seconds=300), None),
            (timedelta(seconds=301), "used_at_in_future"),
            (timedelta(hours=-72), None),
            (timedelta(hours=-72, microseconds=-1), "too_late"),
        ],
    )
    def test_window(self, offset: timedelta, fault: str | None) -> None:
        assert time_fault(NOW + offset, NOW) == fault

    def test_nothing_told(self) -> None:
        assert (time_fault(None, NOW), storable(None)) == (None, None)

    @given(st.datetimes(timezones=st.timezones()))
    def test_any_moment_is_judged_and_can_be_stored(self, moment: datetime) -> None:
        time_fault(moment, NOW)
        kept = storable(moment)
        assert kept is not None
        assert kept.astimezone(UTC).year >= 2000 or moment > kept - timedelta(days=2)


@given(st.integers(1, 10**9), st.none() | st.integers(0, 10**11))
def test_a_voucher_never_pays_more_than_it_is_worth_or_than_the_bill(amount: int, bill: int | None) -> None:
    assert applied_fen("directed", amount, bill) == amount
    applied = applied_fen("general", amount, bill)
    assert 0 < applied <= amount
    if bill:
        assert applied == min(amount, bill)


class TestTerminalRules:
    @given(st.text(alphabet=ALPHABET, min_size=ACTIVATION_SYMBOLS, max_size=ACTIVATION_SYMBOLS))
    def test_code_is_read_as_it_is_shown(self, symbols: str) -> None:
        shown = shown_activation_code(symbols)
        assert shown.count("-") == 2
        for typed in (
            shown,
            shown.lower(),
            shown.replace("-", " "),
            symbols.replace("0", "o").replace("1", "l"),
        ):
            assert read_activation_code(typed) == symbols

    @given(st.text())
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        read = read_activation_code(text)
        assert read is None or (len(read) == ACTIVATION_SYMBOLS and set(read) <= set(ALPHABET))

    def test_keys_overlap_until_the_end(self) -> None:
        keys = TerminalKeys("new", "old", NOW)
        assert keys.good(NOW - timedelta(microseconds=1)) == ("new", "old")
        assert keys.good(NOW) == ("new",)
        assert TerminalKeys("only").good(NOW) == ("only",)


class TestCreditCodes:
    def test_of_the_example_directory_are_right(self) -> None:
        entries = yaml.safe_load(DIRECTORY.read_text(encoding="utf-8"))
        assert {credit_code_fault(entry["credit_code"]) for entry in entries} == {None}

    @given(st.text(alphabet=CREDIT_SYMBOLS, min_size=17, max_size=17), st.integers(0, 16), st.data())
    def test_one_wrong_symbol_is_found(self, body: str, place: int, data: st.DataObject) -> None:
        (check,) = [symbol for symbol in CREDIT_SYMBOLS if credit_code_fault(body + symbol) is None]
        other = data.draw(st.sampled_from([symbol for symbol in CREDIT_SYMBOLS if symbol != body[place]]))
        assert credit_code_fault(body[:place] + other + body[place + 1 :] + check) == "check_digit"

    def test_whose_sum_is_a_multiple_of_31(self) -> None:
        # The case that much copied code gets wrong: 31 - 0 is no symbol.
        assert credit_code_fault("0" * 18) is None

    @pytest.mark.parametrize(
        ("code", "fault"),
        [("", "length"), ("0" * 17, "length"), ("0" * 17 + "I", "characters"), ("十" * 18, "characters")],
    )
    def test_other_faults(self, code: str, fault: str) -> None:
        assert credit_code_fault(code) == fault


def entry(name: str, **more: object) -> DirectoryEntry:
    values: dict[str, object] = {
        "category": "shop",
        "county": None,
        "public": None,
        "address": None,
        "credit_code": None,
        "accepts": ("fitness",),
    }
    return DirectoryEntry(name=name, **{**values, **more})  # type: ignore[arg-type] # a builder of fields


class TestDirectoryRows:
    TYPES = {"健康体检券": "checkup", "checkup": "checkup", "fitness": "fitness"}  # noqa: RUF012 - a constant

    def test_names_and_keys_of_types(self) -> None:
        cells = {
            "name": " 甲 ",
            "category": "shop",
            "accepts": "健康体检券、checkup;fitness\n",
            "public": "否",
        }
        assert read_entry(cells, self.TYPES) == entry("甲", public=False, accepts=("checkup", "fitness"))

    @pytest.mark.parametrize(
        ("cells", "columns"),
        [
            ({}, ["name", "category", "accepts"]),
            ({"name": "甲", "category": "c", "accepts": "cash"}, ["accepts"]),
            ({"name": "甲" * 201, "category": "c", "accepts": "fitness"}, ["name"]),
            ({"name": "甲", "category": "c", "accepts": "fitness", "public": "perhaps"}, ["public"]),
        ],
    )
    def test_every_fault_is_named(self, cells: dict[str, str], columns: list[str]) -> None:
        faults = read_entry(cells, self.TYPES)
        assert isinstance(faults, list)
        assert [column for column, _ in faults] == columns

    @given(st.lists(st.sampled_from(["甲", "乙", "丙"]), max_size=12), st.sets(st.sampled_from(["甲", "乙"])))
    def test_rows_are_accepted_rejected_or_repeated(self, names: list[str], known_names: set[str]) -> None:
        known = [
            KnownInstitution(f"ins_{name}", entry(name), Admission(("fitness",))) for name in known_names
        ]
        rows = {number: entry(name) for number, name in enumerate(names, start=2)}
        plan = plan_import(rows, known, {name: name for name in ("甲", "乙", "丙")})
        assert len(plan.added) + len(plan.changed) + plan.duplicates + len(plan.faults) == len(names)
        assert {one.name for one in plan.added} == set(names) - known_names
        assert (plan.changed, plan.faults) == ([], [])

    def test_unknown_types_are_named_by_their_place(self) -> None:
        faults = accepts_faults(["fitness", "gold", "cash"], frozenset({"fitness"}))
        assert [fault.loc for fault in faults] == ["body.accepts.1", "body.accepts.2"]


class TestOfflineRules:
    @given(st.lists(st.sampled_from("abc"), max_size=30))
    def test_rounds_keep_the_order_of_equal_keys_and_lose_nothing(self, keys: list[str]) -> None:
        turns = rounds([{key} for key in keys])
        assert sorted(place for turn in turns for place in turn) == list(range(len(keys)))
        for turn in turns:
            assert len({keys[place] for place in turn}) == len(turn)
        for key in set(keys):
            places = [place for turn in turns for place in turn if keys[place] == key]
            assert places == sorted(places)

    @pytest.mark.parametrize(
        ("request_no", "bill", "fault"),
        [
            ("r1", None, None),
            ("r1", 5, None),
            ("r 1", 5, INVALID),
            ("", 5, INVALID),
            ("r1", -1, INVALID),
            ("r1", 11, INVALID),
        ],
    )
    def test_items(self, request_no: str, bill: int | None, fault: str | None) -> None:
        assert item_fault(request_no=request_no, bill_fen=bill, bill_fen_max=10) == fault

    def test_words(self) -> None:
        words = ("created", "replayed", "already_redeemed", "voucher_expired", "request_no_reused")
        assert [result_of(word) for word in words] == [
            "redeemed",
            "duplicate",
            "conflict",
            "refused",
            "refused",
        ]


def test_reversals_are_taken_off_their_own_day_and_stand_apart() -> None:
    campaign = new_id()
    first, second = date(2020, 11, 1), date(2020, 11, 2)
    figures = [
        Figure(campaign, first, "redeem", "fitness", "ins_a", 3, [10, 5]),
        Figure(campaign, second, "reverse", "fitness", "ins_a", 1, [4, 1]),
        Figure(campaign, second, "redeem", "checkup", "ins_b", 1, [7, 7]),
    ]
    totals = Totals()
    add_up(totals, figures, ["treasury", "insurance"])
    assert (totals.all.count, totals.all.applied_fen, totals.all.reversed) == (3, 24, 1)
    assert totals.by_payer == {"treasury": 13, "insurance": 11}
    assert totals.by_day[second].count == 0
    assert totals.by_institution["ins_a"].count == 2
