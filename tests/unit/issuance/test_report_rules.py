"""What the report makes of the ledger's counts and of the institutions."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.lessons.rules import Institution, Use
from services.issuance.reports.rules import _numbered, idle_of, use_of
from shared.metrics.store import Figure

CAMPAIGN = UUID(int=1)
DAY = date(2020, 11, 1)


def moved(measure: str, n: int, *, at: str = "") -> Figure:
    return Figure(CAMPAIGN, DAY, measure, "checkup", at, n, [n * 100])


def test_vouchers_become_what_the_ledger_counts() -> None:
    moves = [
        moved("issue", 10),
        moved("redeem", 4, at="i1"),
        moved("reverse", 1, at="i1"),
        moved("release", 2, at="i1"),
        moved("expire", 2),
        moved("revoke", 1),
    ]
    assert use_of(moves) == Use(issued=10, written_off=3, expired=2, revoked=1, outstanding=4)


@given(
    st.lists(
        st.tuples(st.sampled_from(["issue", "redeem", "reverse", "expire", "revoke"]), st.integers(0, 99))
    )
)
def test_its_parts_always_add_up(moves: list[tuple[str, int]]) -> None:
    use = use_of([moved(measure, n) for measure, n in moves])
    assert use.written_off + use.expired + use.revoked + use.outstanding == use.issued


def test_an_institution_whose_only_write_off_was_undone_is_idle() -> None:
    taking_part = [Institution("i1", "甲"), Institution("i2", "乙"), Institution("i3", "丙")]
    moves = [
        moved("redeem", 2, at="i1"),
        moved("redeem", 1, at="i2"),
        moved("reverse", 1, at="i2"),
    ]
    assert idle_of(taking_part, moves) == ["乙", "丙"]


@pytest.mark.parametrize(
    ("number", "told"),
    [(1, "（一）"), (10, "（十）"), (11, "（十一）"), (20, "（二十）"), (32, "（三十二）")],
)
def test_items_are_numbered_as_in_official_documents(number: int, told: str) -> None:
    assert _numbered(["项"] * number)[-1] == f"{told}项"
