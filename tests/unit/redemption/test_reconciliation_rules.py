"""Lists are read as people write them, and compared pair by pair."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.redemption.reconciliation.rules import (
    COLUMNS,
    Ours,
    Theirs,
    compare,
    differences,
    hint_of,
    read_amount,
    read_list,
    read_moment,
)
from shared.documents.sheets import find_table, read_rows

CHINA = timezone(timedelta(hours=8))
AT = datetime(2020, 11, 1, 3, tzinfo=UTC)


def ours(request_no: str = "r1", fen: int = 5_000, kind: str = "checkup", state: str = "redeemed") -> Ours:
    return Ours("id", request_no, kind, fen, AT, state)


def theirs(request_no: str = "r1", fen: int = 5_000, row: int = 2, **more: object) -> Theirs:
    values = {"voucher_type": "checkup", "redeemed_at": AT, **more}
    return Theirs(row=row, request_no=request_no, applied_fen=fen, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "unit", "fen"),
    [
        ("5000", "fen", 5_000),
        ("5,000", "fen", 5_000),
        ("50", "yuan", 5_000),
        ("50.5", "yuan", 5_050),
        ("¥1,234.56", "yuan", 123_456),
        ("５０.00元", "yuan", 5_000),
        ("50.00", "fen", 50),
        ("50.5", "fen", None),
        ("50.555", "yuan", None),
        ("-5", "yuan", None),
        ("1e3", "yuan", None),
        ("", "yuan", None),
        ("=50", "yuan", None),
    ],
)
def test_amounts_are_whole_fen_or_nothing(text: str, unit: str, fen: int | None) -> None:
    assert read_amount(text, unit) == fen  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "2020-11-01T11:00:00+08:00",
        "2020-11-01 11:00",
        "2020/11/1 11:00:00",
        "2020年11月1日 11:00",
        "2020-11-01T03:00:00Z",
        "2020-11-01T03:00:00.500+0000",
    ],
)
def test_times_are_read_as_people_write_them(text: str) -> None:
    assert read_moment(text, CHINA) == (AT, False)


def test_a_day_alone_is_a_day_and_nonsense_is_nothing() -> None:
    assert read_moment("2020-11-01", CHINA) == (datetime(2020, 11, 1, tzinfo=CHINA), True)
    for text in (
        "2020-13-01",
        "2020-11-31 10:00",
        "yesterday",
        "1604199600",
        "0001-01-01",
        "2020-11-01 25:00",
    ):
        assert read_moment(text, CHINA) is None


@pytest.mark.parametrize(
    ("header", "amount", "unit"),
    [
        ("抵扣金额（元）", "50", "yuan"),
        ("抵扣金额(分)", "5000", "fen"),
        ("applied_fen", "5000", "fen"),
        ("金额", "50.00", "yuan"),
        ("金额", "5000", "fen"),
    ],
)
def test_header_says_the_unit_else_the_decimal_point_does(header: str, amount: str, unit: str) -> None:
    table = find_table(read_rows(f"流水号,{header}\nr1,{amount}\n".encode()), COLUMNS)
    read = read_list(table, {}, CHINA)
    assert (read.unit, read.entries[0].applied_fen) == (unit, 5_000)


def test_every_fault_of_a_row_is_told() -> None:
    content = "请求号,券种,抵扣金额（元）,核销时间\n,月饼券,很多,昨天\nr2,体检券,50,2020-11-01\n"
    read = read_list(find_table(read_rows(content.encode()), COLUMNS), {"体检券": "checkup"}, CHINA)
    assert [(fault.row, fault.column) for fault in read.faults] == [
        (2, "request_no"),
        (2, "applied_fen"),
        (2, "voucher_type"),
        (2, "redeemed_at"),
    ]
    assert [entry.request_no for entry in read.entries] == ["r2"]


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        (theirs(), ()),
        (theirs(redeemed_at=AT + timedelta(seconds=300)), ()),
        (theirs(redeemed_at=AT + timedelta(seconds=301)), ("redeemed_at",)),
        (theirs(redeemed_at=datetime(2020, 11, 1, tzinfo=CHINA), day_only=True), ()),
        (theirs(redeemed_at=datetime(2020, 11, 2, tzinfo=CHINA), day_only=True), ("redeemed_at",)),
        (theirs(voucher_type=None, redeemed_at=None), ()),
        (theirs(fen=4_999, voucher_type="fitness"), ("voucher_type", "applied_fen")),
    ],
)
def test_what_is_told_is_compared(entry: Theirs, fields: tuple[str, ...]) -> None:
    assert differences(ours(), entry, CHINA) == fields


def test_equal_ones_are_paired_first_when_tills_share_a_number() -> None:
    found = compare(
        [ours(fen=100), ours(fen=200)], [theirs(fen=200), theirs(fen=150, row=3), theirs(row=4)], CHINA
    )
    assert [pair.ours.applied_fen for pair in found.matched] == [200]
    assert [(pair.ours.applied_fen, pair.theirs.row) for pair in found.different] == [(100, 3)]
    assert [entry.row for entry in found.only_theirs] == [4]
    assert found.only_ours == []


entries = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 3)), max_size=12)


@given(entries, entries)
def test_every_entry_is_in_exactly_one_list(us: list[tuple[str, int]], them: list[tuple[str, int]]) -> None:
    left = [ours(number, fen) for number, fen in us]
    right = [theirs(number, fen, row) for row, (number, fen) in enumerate(them)]
    found = compare(left, right, CHINA)
    pairs = [*found.matched, *found.different]
    assert Counter([*(pair.ours for pair in pairs), *found.only_ours]) == Counter(left)
    assert Counter([*(pair.theirs for pair in pairs), *found.only_theirs]) == Counter(right)
    assert len(found.matched) == (Counter(us) & Counter(them)).total()
    assert {one.request_no for one in found.only_ours}.isdisjoint(
        entry.request_no for entry in found.only_theirs
    )


@pytest.mark.parametrize(
    ("known", "hint"),
    [
        ([], "unknown"),
        ([ours(state="reversed")], "reversed"),
        ([ours()], "repeated"),
        ([ours(state="reversed"), ours()], "repeated"),
    ],
)
def test_why_only_they_have_it(known: list[Ours], hint: str) -> None:
    assert hint_of(known, date(2020, 11, 1), date(2020, 11, 1), CHINA) == hint


def test_another_day_is_told_as_such() -> None:
    assert hint_of([ours()], date(2020, 11, 2), date(2020, 11, 2), CHINA) == "other_period"
