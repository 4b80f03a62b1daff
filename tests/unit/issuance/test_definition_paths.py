"""Paths that name values of a definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.publicview.rules import is_under, leads_somewhere

DEFINITION = {
    "award_valid_days": 3,
    "phases": [{"seq": 1, "odds": "0.2", "quiz": {"pass_score": 60}}],
    "voucher_types": [{"key": "checkup", "settlement_price_fen": 30_000, "covers": None}],
}


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("award_valid_days", True),
        ("phases", True),
        ("phases.1.odds", True),
        ("phases.1.quiz.pass_score", True),
        ("voucher_types.checkup.settlement_price_fen", True),
        ("phases.2.odds", False),
        ("phases.odds", False),
        ("award_valid_days.x", False),
        ("voucher_types.checkup.covers", False),
        ("voucher_types.checkup.key.x", False),
        ("", False),
        ("phases..odds", False),
    ],
)
def test_a_path_leads_to_a_value_or_nowhere(path: str, *, leads: bool) -> None:
    assert leads_somewhere(DEFINITION, path) is leads


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(st.dictionaries(st.text(max_size=3), json, max_size=4), st.text(max_size=8))
def test_any_path_into_anything_is_answered(definition: dict[str, object], path: str) -> None:
    assert leads_somewhere(definition, path) in {True, False}


def test_a_change_decides_what_lies_under_it_and_what_it_is_part_of() -> None:
    assert is_under("phases.1.quiz.pass_score", ["phases.1.quiz"])
    assert is_under("phases.1", ["phases.1.odds"])
    assert is_under("phases.1.odds", ["phases.1.odds"])
    assert not is_under("phases.10.odds", ["phases.1"])
    assert not is_under("phases.2.odds", ["phases.1.odds", "budget_fen"])
