"""A definition is answered with all of its faults, also when half of it is missing."""

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.issuance.campaigns.rules import definition_faults, phase_state, threshold_of
from services.issuance.campaigns.schemas import Definition
from shared.clock import CHINA
from tests.support.campaigns import definition

NOW = datetime(2020, 10, 31, 9, 0, tzinfo=CHINA)
HONGHE = Path(__file__).resolve().parents[3] / "deploy" / "demo_data" / "honghe-2020" / "campaign.yaml"

Spoil = Callable[[dict[str, Any]], object]


def faults(body: object) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as refused:
        Definition.model_validate(body)
    return [(".".join(str(part) for part in fault["loc"]), fault["type"]) for fault in refused.value.errors()]


def test_the_shipped_campaign_is_sound() -> None:
    body = yaml.safe_load(HONGHE.read_text(encoding="utf-8"))
    del body["institution_directory"]
    kept = Definition.model_validate(body)
    assert len(kept.voucher_types) == 7
    assert Definition.model_validate(kept.model_dump(mode="json", exclude_none=True)) == kept


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda d: d.update(slug="Bad_Slug"), [("slug", "slug_form")]),
        (lambda d: d.update(slug="-a"), [("slug", "slug_form")]),
        (lambda d: d.update(timezone="Asia"), [("timezone", "timezone_unknown")]),
        (lambda d: d["funding_sources"].pop(), [("funding_sources", "shares_sum")]),
        (lambda d: d["funding_sources"][0].update(share="0.400001"), [("funding_sources", "shares_sum")]),
        (lambda d: d["funding_sources"][0].update(share=0), [
            ("funding_sources.0.share", "share_range"), ("funding_sources", "shares_sum"),
        ]),
        (lambda d: d["funding_sources"][0].update(share="0.4000001"), [
            ("funding_sources.0.share", "rate_invalid"),
        ]),
        (lambda d: d["funding_sources"][1].update(key="treasury"), [
            ("funding_sources.1.key", "duplicate_key"),
        ]),
        (lambda d: d["voucher_types"][1].update(key="checkup"), [
            ("voucher_types.1.key", "duplicate_key"), ("phases.0.stock.fitness", "stock_type_unknown"),
            ("phases.1.stock.fitness", "stock_type_unknown"),
        ]),
        (lambda d: d["channels"][0].update(key="lottery"), [("channels.0.key", "channel_unknown")]),
        (lambda d: d["channels"][1].update(key="quiz"), [("channels.1.key", "duplicate_key")]),
        (lambda d: d["voucher_types"][0].pop("settlement_price_fen"), [
            ("voucher_types.0.settlement_price_fen", "settlement_price_missing"),
        ]),
        (lambda d: d["voucher_types"][2].pop("face_value_fen"), [
            ("voucher_types.2.face_value_fen", "face_value_missing"),
        ]),
        (lambda d: d["voucher_types"][0].update(face_value_fen=5), [
            ("voucher_types.0.face_value_fen", "amount_unexpected"),
        ]),
        (lambda d: d["phases"][0].update(closes_at=d["phases"][0]["opens_at"]), [
            ("phases.0.closes_at", "closes_before_opening"),
        ]),
        (lambda d: d["phases"].reverse(), [
            ("phases.0.seq", "phase_seq"), ("phases.1.seq", "phase_seq"),
            ("phases.1.opens_at", "phases_overlap"),
        ]),
        (lambda d: d["phases"][0].update(odds=0), [("phases.0.odds", "odds_range")]),
        (lambda d: d["phases"][0].update(odds="1.01"), [("phases.0.odds", "odds_range")]),
        (lambda d: d["phases"][0].update(odds=0.1234567), [("phases.0.odds", "rate_invalid")]),
        (lambda d: d["phases"][0].update(odds=None), [("phases.0.odds", "rate_invalid")]),
        (lambda d: d["phases"][0]["stock"].update(gold=1), [("phases.0.stock.gold", "stock_type_unknown")]),
        (lambda d: d["phases"][0]["quiz"].update(blueprint={"1": 4}), [
            ("phases.0.quiz.blueprint", "blueprint_sum"),
        ]),
        (lambda d: d["phases"][1]["stock"].update(general_50=200_000), [("budget_fen", "budget_exceeded")]),
        (lambda d: d["phases"][0].pop("quiz"), [("phases.0.quiz", "missing")]),
        (lambda d: d["phases"][0].update(opens_at="2020-11-01T11:00:00"), [
            ("phases.0.opens_at", "timezone_aware"),
        ]),
        (lambda d: d.pop("per_person_limits"), [("per_person_limits", "missing")]),
        (lambda d: d.update(institution_directory=[]), [("institution_directory", "extra_forbidden")]),
        (lambda d: d.update(phases=[]), [("phases", "too_short")]),
    ],
)  # fmt: skip
def test_each_fault_has_its_place_and_code(spoil: Spoil, found: list[tuple[str, str]]) -> None:
    body = definition(NOW, phases=2)
    spoil(body)
    assert faults(body) == found


def test_missing_fields_do_not_hide_what_is_inconsistent() -> None:
    body = definition(NOW, phases=2, budget_fen=1, timezone="Mars/Olympus")
    del body["title"]
    del body["phases"][0]["quiz"]
    body["funding_sources"][2]["share"] = "0.3"
    assert set(faults(body)) == {
        ("title", "missing"),
        ("phases.0.quiz", "missing"),
        ("timezone", "timezone_unknown"),
        ("funding_sources", "shares_sum"),
        ("budget_fen", "budget_exceeded"),
    }


def test_stock_that_is_worth_exactly_the_budget_is_sound() -> None:
    body = definition(NOW, phases=2, stock={"general_50": 10}, budget_fen=100_000)
    assert Definition.model_validate(body).budget_fen == 100_000
    assert faults(body | {"budget_fen": 99_999}) == [("budget_fen", "budget_exceeded")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.data())
def test_whatever_stands_in_a_definition_is_judged_and_never_a_fault_of_ours(data: st.DataObject) -> None:
    body = definition(NOW, phases=2, slug="fixed")
    for _ in range(data.draw(st.integers(1, 4))):
        place: Any = body
        for _ in range(data.draw(st.integers(1, 4))):
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if not isinstance(place[key], (dict, list)) or data.draw(st.booleans()):
                place[key] = data.draw(JSON)
                break
            place = place[key]
    before = deepcopy(body)
    with suppress(ValidationError):
        Definition.model_validate(body)
        assert definition_faults(body) == []
    assert repr(body) == repr(before)


@pytest.mark.parametrize(
    ("after_opening", "status", "state"),
    [
        (timedelta(seconds=-1), "published", "upcoming"),
        (timedelta(seconds=-1), "paused", "upcoming"),
        (timedelta(0), "published", "open"),
        (timedelta(0), "paused", "paused"),
        (timedelta(days=1, seconds=-1), "published", "open"),
        (timedelta(days=1), "published", "closed"),
        (timedelta(days=1), "paused", "closed"),
    ],
)
def test_phases_open_and_close_by_the_clock(after_opening: timedelta, status: str, state: str) -> None:
    closes_at = NOW + timedelta(days=1)
    assert phase_state(NOW, closes_at, status=status, now=NOW + after_opening) == state


@given(odds_ppm=st.integers(1, 999_999))
def test_threshold_is_the_odds_of_two_to_the_64_rounded_down(odds_ppm: int) -> None:
    threshold = threshold_of(odds_ppm)
    assert threshold is not None
    number = int.from_bytes(threshold, "big")
    assert number * 1_000_000 <= odds_ppm * 2**64 < (number + 1) * 1_000_000


def test_certain_odds_have_no_threshold() -> None:
    assert threshold_of(1_000_000) is None
