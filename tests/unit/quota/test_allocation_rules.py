"""Quotas add up, lie within a card of what is exact, and move by adjustments only."""

import random
import time
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quota.allocation.errors import NoVisits, QuotaNegative
from services.quota.allocation.rules import (
    Method,
    Move,
    Quota,
    Unit,
    alliance_sums,
    allocate,
    basis_of,
    places_by_name,
    share_text,
)

METHODS: list[Method] = ["largest_remainder", "round_each"]


def units(*visits: int, alliances: str | None = None) -> list[Unit]:
    groups = alliances or "A" * len(visits)
    return [
        Unit(f"hos_{place}", f"第{place}医院", group.replace("-", ""), count)
        for place, (count, group) in enumerate(zip(visits, groups, strict=True))
    ]


def quotas(found: list[Quota]) -> list[int]:
    return [entry.quota for entry in found]


visits_lists = st.lists(st.integers(0, 10**7), min_size=1, max_size=60).filter(any)
totals = st.integers(1, 10**9)


@st.composite
def adjusted(draw: st.DrawFn) -> tuple[list[Unit], list[Move], int]:
    """Hospitals in alliances with small moves that no hospital is too small for."""
    counts = draw(st.lists(st.integers(10_000, 10**6), min_size=2, max_size=30))
    groups = draw(st.lists(st.sampled_from("AB-"), min_size=len(counts), max_size=len(counts)))
    places = st.integers(0, len(counts) - 1)
    moves = [
        Move(source, target, share_points=Decimal(micro).scaleb(-6))
        for source, target, micro in draw(
            st.lists(st.tuples(places, places, st.integers(1, 1000)), max_size=5)
        )
        if source != target
    ]
    return units(*counts, alliances="".join(groups)), moves, draw(st.integers(10**5, 10**8))


@given(visits_lists, totals)
def test_the_largest_remainder_always_adds_up(visits: list[int], total: int) -> None:
    assert sum(quotas(allocate(units(*visits), [], total=total, method="largest_remainder"))) == total


@given(visits_lists, totals, st.sampled_from(METHODS))
def test_every_quota_lies_within_one_card_of_its_exact_share(
    visits: list[int], total: int, method: Method
) -> None:
    for entry in allocate(units(*visits), [], total=total, method=method):
        exact = Fraction(total * entry.unit.visits, sum(visits))
        assert abs(entry.quota - exact) < 1
        if method == "round_each":
            assert abs(entry.quota - exact) <= Fraction(1, 2)


@given(visits_lists, totals, st.sampled_from(METHODS))
def test_more_visits_never_mean_fewer_cards_than_another(
    visits: list[int], total: int, method: Method
) -> None:
    found = allocate(units(*visits), [], total=total, method=method)
    by_visits = sorted(found, key=lambda entry: (entry.unit.visits, -int(entry.unit.hospital_id[4:])))
    assert quotas(by_visits) == sorted(quotas(found))


@given(adjusted(), st.sampled_from(METHODS))
def test_moves_add_up_to_zero_and_are_exact(
    given_: tuple[list[Unit], list[Move], int], method: Method
) -> None:
    listed, moves, total = given_
    found = allocate(listed, moves, total=total, method=method)
    assert sum(entry.points for entry in found) == 0
    visits = sum(unit.visits for unit in listed)
    for entry in found:
        exact = Fraction(total * entry.unit.visits, visits) + total * Fraction(entry.points) / 100
        assert abs(entry.quota - exact) < 1


@given(adjusted())
def test_alliances_and_lone_hospitals_add_up_to_the_total(
    given_: tuple[list[Unit], list[Move], int],
) -> None:
    listed, moves, total = given_
    found = allocate(listed, moves, total=total, method="largest_remainder")
    alone = sum(entry.quota for entry in found if not entry.unit.alliance)
    sums = alliance_sums((entry.unit.alliance, entry.quota) for entry in found)
    assert sum(sums.values()) + alone == total
    for alliance, quota in sums.items():
        assert quota == sum(entry.quota for entry in found if entry.unit.alliance == alliance)


@given(visits_lists, totals)
def test_another_order_of_the_list_moves_cards_between_equal_remainders_only(
    visits: list[int], total: int
) -> None:
    forward = quotas(allocate(units(*visits), [], total=total, method="largest_remainder"))
    backward = quotas(allocate(units(*reversed(visits)), [], total=total, method="largest_remainder"))
    moved = [
        Fraction(total * count, sum(visits)) % 1
        for count, first, second in zip(visits, forward, reversed(backward), strict=True)
        if first != second
    ]
    assert len(set(moved)) <= 1


def test_equal_remainders_go_to_the_hospital_listed_first() -> None:
    assert quotas(allocate(units(1, 1, 1), [], total=10, method="largest_remainder")) == [4, 3, 3]


def test_halves_are_rounded_up_when_each_row_is_rounded_alone() -> None:
    assert quotas(allocate(units(1, 1), [], total=1, method="round_each")) == [1, 1]


def test_cards_move_as_they_are() -> None:
    found = allocate(units(50, 50), [Move(0, 1, cards=7)], total=100, method="largest_remainder")
    assert quotas(found) == [43, 57]
    assert [entry.cards for entry in found] == [-7, 7]


def test_points_are_of_the_total_not_of_the_share() -> None:
    found = allocate(units(50, 50), [Move(0, 1, share_points=Decimal(3))], total=1000, method="round_each")
    assert quotas(found) == [470, 530]


def test_a_move_of_all_that_a_hospital_has_leaves_zero() -> None:
    found = allocate(units(1, 3), [Move(0, 1, share_points=Decimal(25))], total=100, method="round_each")
    assert quotas(found) == [0, 100]


@pytest.mark.parametrize("move", [Move(0, 1, share_points=Decimal("25.000001")), Move(0, 1, cards=26)])
def test_a_move_of_more_than_a_hospital_has_is_refused_by_name(move: Move) -> None:
    with pytest.raises(QuotaNegative, match="第0医院"):
        allocate(units(1, 3), [move], total=100, method="largest_remainder")


def test_without_visits_there_is_nothing_to_share_by() -> None:
    with pytest.raises(NoVisits):
        allocate(units(0, 0), [], total=100, method="largest_remainder")


def test_ten_thousand_hospitals_are_allocated_in_under_a_second_of_work() -> None:
    rng = random.Random(5)
    listed = units(*(rng.randrange(10**7) for _ in range(10_000)))
    started = time.process_time()
    found = allocate(listed, [Move(0, 1, cards=1)], total=10**8, method="largest_remainder")
    assert sum(quotas(found)) == 10**8
    assert time.process_time() - started < 1


def test_shares_have_twelve_decimals_rounded_half_up() -> None:
    assert share_text(1, 3) == "0.333333333333"
    assert share_text(2, 3) == "0.666666666667"
    assert share_text(1, 1) == "1.000000000000"


def test_a_hospital_is_found_by_its_id_and_by_its_name_in_any_spelling() -> None:
    places = places_by_name(units(1, 2))
    assert (places["hos_1"], places["第1医院"]) == (1, 1)


def test_another_list_is_another_basis() -> None:
    first = basis_of(units(1, 2))
    assert basis_of(units(1, 2)) == first
    assert basis_of(units(2, 1)) != first
    assert basis_of(units(1, 2, alliances="AB")) != first
