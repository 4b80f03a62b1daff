"""Quotas add up, lie within a card of what is exact, and move by adjustments only."""

import random
import sys
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from types import FrameType
from typing import Any

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
    cards,
    exact_parts,
    fingerprint_of,
    share_text,
)
from services.quota.allocation.rules import allocate as allocated
from services.quota.apportionment.rules import Bound

METHODS: list[Method] = ["largest_remainder", "round_each"]


def units(*visits: int, alliances: str | None = None) -> list[Unit]:
    groups = alliances or "A" * len(visits)
    return [
        Unit(f"hos_{place}", f"第{place}医院", group.replace("-", ""), count)
        for place, (count, group) in enumerate(zip(visits, groups, strict=True))
    ]


def allocate(
    listed: list[Unit],
    moves: list[Move],
    *,
    total: int,
    method: Method,
    bounds: Mapping[int, Bound] | None = None,
) -> list[Quota]:
    return list(allocated(listed, moves, total=total, method=method, bounds=bounds).quotas)


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


@given(adjusted(), st.randoms(use_true_random=False), st.sampled_from(METHODS))
def test_the_order_of_adjustments_makes_no_difference(
    given_: tuple[list[Unit], list[Move], int], rng: random.Random, method: Method
) -> None:
    listed, moves, total = given_
    shuffled = rng.sample(moves, len(moves))
    assert allocate(listed, moves, total=total, method=method) == allocate(
        listed, shuffled, total=total, method=method
    )


@given(adjusted(), st.data())
def test_more_visits_of_ones_own_never_cost_a_card(
    given_: tuple[list[Unit], list[Move], int], data: st.DataObject
) -> None:
    listed, moves, total = given_
    place = data.draw(st.integers(0, len(listed) - 1))
    unit = listed[place]
    more = Unit(
        unit.hospital_id, unit.hospital, unit.alliance, unit.visits + data.draw(st.integers(1, 10**6))
    )
    grown = [*listed[:place], more, *listed[place + 1 :]]
    try:
        before = allocate(listed, moves, total=total, method="largest_remainder")
        after = allocate(grown, moves, total=total, method="largest_remainder")
    except QuotaNegative:
        return
    assert after[place].quota >= before[place].quota


@given(adjusted(), st.sampled_from(METHODS), st.data())
def test_share_adjustments_bounds_and_rounding_are_all_that_a_quota_consists_of(
    given_: tuple[list[Unit], list[Move], int], method: Method, data: st.DataObject
) -> None:
    listed, moves, total = given_
    place = data.draw(st.integers(0, len(listed) - 1))
    bounds = {place: Bound(data.draw(st.integers(0, total)))}
    found = allocated(listed, moves, total=total, method=method, bounds=bounds)
    parts = exact_parts(found.quotas, total=total, bounds=bounds, scale=found.scale)
    (whole,) = {part.denominator for part in parts}
    assert sum(part.share for part in parts) == total * whole == sum(part.quota for part in parts)
    assert sum(part.moved for part in parts) == 0 == sum(part.bounded for part in parts)
    for entry, part in zip(found.quotas, parts, strict=True):
        assert abs(entry.quota * whole - part.quota) < whole
    assert found.quotas[place].quota >= bounds[place].minimum


def test_without_bounds_nothing_is_scaled() -> None:
    found = allocated(units(1, 3), [], total=4, method="largest_remainder")
    assert found.scale is None
    parts = exact_parts(found.quotas, total=4, bounds={}, scale=None)
    assert [str(cards(part.share, part.denominator)) for part in parts] == ["1.000000", "3.000000"]
    assert {(part.moved, part.bounded) for part in parts} == {(0, 0)}


def test_cards_have_six_decimals_rounded_half_away_from_zero() -> None:
    assert [str(cards(part, 3)) for part in (1, 2, -2)] == ["0.333333", "0.666667", "-0.666667"]
    assert cards(1, 2_000_000) == Decimal("0.000001") == -cards(-1, 2_000_000)


def test_a_basis_with_decimals_is_shared_exactly() -> None:
    listed = [
        Unit("hos_0", "甲", "", visits=7, basis_value=Decimal("0.1")),
        Unit("hos_1", "乙", "", visits=1, basis_value=Decimal("0.2")),
    ]
    assert quotas(allocate(listed, [], total=30, method="largest_remainder")) == [10, 20]


def test_bounds_hold_after_adjustments() -> None:
    found = allocate(
        units(50, 50),
        [Move(0, 1, cards=7)],
        total=100,
        method="largest_remainder",
        bounds={1: Bound(0, 55)},
    )
    assert quotas(found) == [45, 55]


def work(count: int) -> int:
    """How many lines are run to allocate to that many hospitals in alliances, with bounds and adjustments."""
    rng = random.Random(count)
    groups = "".join(rng.choice("ABCDEFGH-") for _ in range(count))
    listed = units(*(rng.randrange(1, 10**7) for _ in range(count)), alliances=groups)
    bounds = {place: Bound(100, 20_000) for place in range(0, count, 100)}
    lines = 0

    def seen(_frame: FrameType, event: str, _argument: Any) -> Any:  # noqa: ANN401 - as sys.settrace has it
        nonlocal lines
        lines += event == "line"
        return seen

    before = sys.gettrace()
    sys.settrace(seen)
    try:
        found = allocate(
            listed, [Move(0, 1, cards=1)], total=10**4 * count, method="largest_remainder", bounds=bounds
        )
    finally:
        sys.settrace(before)
    assert sum(quotas(found)) == 10**4 * count
    return lines


def test_ten_times_the_hospitals_are_about_ten_times_the_work() -> None:
    """Counted, not timed: a slow machine runs as many lines as a fast one."""
    few, many = work(1_000), work(10_000)
    assert many < 15 * few


def test_shares_have_twelve_decimals_rounded_half_up() -> None:
    assert share_text(1, 3) == "0.333333333333"
    assert share_text(2, 3) == "0.666666666667"
    assert share_text(1, 1) == "1.000000000000"


def test_another_list_or_other_figures_are_another_base() -> None:
    first = fingerprint_of(units(1, 2))
    assert fingerprint_of(units(1, 2)) == first
    assert fingerprint_of(units(2, 1)) != first
    assert fingerprint_of(units(1, 2, alliances="AB")) != first
    imported = [Unit("hos_0", "甲", "", visits=1, basis_value=value) for value in (Decimal(1), Decimal(2))]
    assert len({fingerprint_of([unit]) for unit in (*imported, Unit("hos_0", "甲", "", visits=1))}) == 3
