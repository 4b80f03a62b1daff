"""Ranks of institutions: ties share one, the next skips, and the order of the list decides nothing."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.redemption.rankings.rules import Count, part_of, ranked, rounded
from shared.rankings import competition_ranks, month_of, parse_month


def count(
    place: int, number: int, *, holders: int = 0, hourly: int | None = None, category: str = "x"
) -> Count:
    return Count(f"ins_{place}", f"示例{place % 3}", category, number, number * 100, holders, 0, hourly, {})


NUMBERS = st.lists(st.integers(0, 5), max_size=20)
COUNTS = st.lists(
    st.builds(
        count,
        st.integers(0, 10_000),
        st.integers(0, 5),
        holders=st.integers(0, 5),
        hourly=st.none() | st.integers(1, 4),
        category=st.sampled_from(["hospital", "gym"]),
    ),
    max_size=15,
    unique_by=lambda one: one.institution_id,
)


@given(NUMBERS)
def test_rank_is_one_more_than_those_who_did_more(numbers: list[int]) -> None:
    ranks = competition_ranks(dict(enumerate(numbers)))
    for place, number in enumerate(numbers):
        assert ranks[place] == 1 + sum(other > number for other in numbers)


@given(COUNTS, st.randoms(use_true_random=False))
def test_the_order_of_the_list_changes_nothing(counts: list[Count], random: Random) -> None:
    shuffled = list(counts)
    random.shuffle(shuffled)
    assert ranked(shuffled) == ranked(counts)


@given(COUNTS)
def test_equal_institutions_share_every_rank_and_the_next_skips(counts: list[Count]) -> None:
    lines = ranked(counts)
    for line in lines:
        peers = [one for one in counts if one.category == line.of.category]
        assert line.rank == 1 + sum(one.count > line.of.count for one in counts)
        assert line.rank_in_category == 1 + sum(one.count > line.of.count for one in peers)
        assert line.rank_by_holders == 1 + sum(
            one.distinct_holders > line.of.distinct_holders for one in counts
        )
        own = line.of.per_capacity
        fair = [one.per_capacity for one in counts if one.per_capacity is not None]
        assert line.rank_per_capacity == (None if own is None else 1 + sum(one > own for one in fair))
    assert [line.of.count for line in lines] == sorted((one.count for one in counts), reverse=True)


def test_ranks_compare_exact_fractions() -> None:
    # Both are 0.333333 with six decimals.
    lines = ranked([count(1, 333_333, hourly=1_000_000), count(2, 1, hourly=3)])
    assert {line.of.institution_id: line.rank_per_capacity for line in lines} == {"ins_1": 2, "ins_2": 1}


def test_shares_have_six_decimals() -> None:
    assert [part_of(2, 3), part_of(0, 0)] == [Decimal("0.666667"), Decimal(0)]
    assert (rounded(Fraction(1, 3)), rounded(None)) == (Decimal("0.333333"), None)


@pytest.mark.parametrize(("text", "last"), [("2020-02", 29), ("2020-12", 31), ("2021-04", 30)])
def test_a_month_ends_on_its_last_day(text: str, last: int) -> None:
    first = parse_month(text)
    assert first is not None
    assert month_of(first) == (first, date(first.year, first.month, last))
