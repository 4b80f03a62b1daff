"""Whole cards from exact quotas: nested, within bounds, and what no method can hold."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quota.apportionment.errors import MaximumsBelowTotal, MinimumsAboveTotal
from services.quota.apportionment.rules import (
    Bound,
    largest_remainder,
    nested_remainder,
    round_each,
    scale_between,
    scaled,
)


def exact(total: int, weights: list[int]) -> tuple[list[int], int]:
    """Quotas in proportion to weights, over one denominator."""
    return [total * weight for weight in weights], sum(weights)


def bounded(total: int, weights: list[int], bounds: dict[int, Bound]) -> list[Fraction]:
    numerators, denominator = exact(total, weights)
    parts, whole = scaled(numerators, denominator, bounds, scale_between(numerators, denominator, bounds))
    return [Fraction(part, whole) for part in parts]


weights_lists = st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(any)
totals = st.integers(1, 10**7)


@st.composite
def grouped(draw: st.DrawFn) -> tuple[list[int], list[str]]:
    weights = draw(weights_lists)
    return weights, draw(
        st.lists(st.sampled_from(["A", "B", "C", ""]), min_size=len(weights), max_size=len(weights))
    )


@st.composite
def bounded_lists(draw: st.DrawFn) -> tuple[list[int], list[str], int, dict[int, Bound]]:
    """Bounds that some quotas lie between, as they were made around quotas that add up."""
    weights, groups = draw(grouped())
    witness = draw(st.lists(st.integers(0, 1000), min_size=len(weights), max_size=len(weights)).filter(any))
    places = draw(st.sets(st.integers(0, len(weights) - 1)))
    bounds = {}
    for place in places:
        least = draw(st.integers(0, witness[place]))
        most = draw(st.none() | st.integers(witness[place], 2000))
        # A hospital without a weight stays at its minimum, so that it must be its share of the witness.
        bounds[place] = Bound(least if weights[place] else witness[place], most)
    total = sum(count for place, count in enumerate(witness) if weights[place] or place in bounds)
    return weights, groups, total, bounds


def feasible(weights: list[int], total: int, bounds: dict[int, Bound]) -> bool:
    """Cards can be put somewhere: somebody with a weight has no maximum, or the maximums suffice."""
    held = [(weight, bounds.get(place, Bound())) for place, weight in enumerate(weights)]
    if any(weight and bound.maximum is None for weight, bound in held):
        return True
    return sum((bound.maximum or 0) if weight else bound.minimum for weight, bound in held) >= total


@given(grouped(), totals)
def test_alliances_get_their_own_largest_remainder_and_the_sum_of_their_hospitals(
    given_: tuple[list[int], list[str]], total: int
) -> None:
    weights, groups = given_
    numerators, denominator = exact(total, weights)
    found = nested_remainder(numerators, denominator, groups)
    assert sum(found) == total
    keys: list[object] = list(dict.fromkeys(group or place for place, group in enumerate(groups)))
    sums = {key: [0, 0] for key in keys}
    for place, group in enumerate(groups):
        sums[group or place][0] += numerators[place]
        sums[group or place][1] += found[place]
    first_level = largest_remainder([part for part, _ in sums.values()], denominator)
    assert first_level == [whole for _, whole in sums.values()]


@given(grouped(), totals)
def test_every_hospital_and_every_alliance_gets_the_floor_or_the_ceiling_of_its_exact_quota(
    given_: tuple[list[int], list[str]], total: int
) -> None:
    weights, groups = given_
    numerators, denominator = exact(total, weights)
    found = nested_remainder(numerators, denominator, groups)
    for part, whole in zip(numerators, found, strict=True):
        assert whole in {part // denominator, -(-part // denominator)}
    for alliance in set(groups) - {""}:
        members = [place for place, group in enumerate(groups) if group == alliance]
        part = sum(numerators[place] for place in members)
        assert sum(found[place] for place in members) in {part // denominator, -(-part // denominator)}


@given(grouped(), totals, st.data())
def test_more_of_ones_own_never_costs_a_card(
    given_: tuple[list[int], list[str]], total: int, data: st.DataObject
) -> None:
    """All else unchanged: with other totals or several changes no method that adds up can promise it."""
    weights, groups = given_
    place = data.draw(st.integers(0, len(weights) - 1))
    more = list(weights)
    more[place] += data.draw(st.integers(1, 10**6))
    before = nested_remainder(*exact(total, weights), groups)
    after = nested_remainder(*exact(total, more), groups)
    assert after[place] >= before[place]


@given(bounded_lists(), st.data())
def test_more_of_ones_own_never_costs_a_card_between_bounds_either(
    given_: tuple[list[int], list[str], int, dict[int, Bound]], data: st.DataObject
) -> None:
    weights, groups, total, bounds = given_
    place = data.draw(st.integers(0, len(weights) - 1))
    more = list(weights)
    more[place] += data.draw(st.integers(1, 10**6))
    if total == 0 or not feasible(weights, total, bounds) or not feasible(more, total, bounds):
        return
    found = []
    for listed in (weights, more):
        parts = bounded(total, listed, bounds)
        denominator = math.lcm(*(part.denominator for part in parts))
        found.append(nested_remainder([int(part * denominator) for part in parts], denominator, groups))
    assert found[1][place] >= found[0][place]


@given(bounded_lists())
def test_bounds_hold_and_who_is_between_them_keeps_its_proportion(
    given_: tuple[list[int], list[str], int, dict[int, Bound]],
) -> None:
    weights, groups, total, bounds = given_
    if total == 0 or not feasible(weights, total, bounds):
        return
    numerators, denominator = exact(total, weights)
    scale = scale_between(numerators, denominator, bounds)
    parts, whole = scaled(numerators, denominator, bounds, scale)
    assert sum(parts) == total * whole
    free = set()
    for place, part in enumerate(parts):
        bound = bounds.get(place, Bound())
        assert bound.minimum * whole <= part
        assert bound.maximum is None or part <= bound.maximum * whole
        inside = bound.minimum * whole < part and (bound.maximum is None or part < bound.maximum * whole)
        if inside and weights[place]:
            free.add(Fraction(part, weights[place]))
    assert len(free) <= 1
    for rounded in (nested_remainder(parts, whole, groups), round_each(parts, whole)):
        for place, bound in bounds.items():
            assert bound.minimum <= rounded[place]
            assert bound.maximum is None or rounded[place] <= bound.maximum
    assert sum(nested_remainder(parts, whole, groups)) == total


@given(weights_lists, totals)
def test_bounds_that_bind_nobody_change_nothing(weights: list[int], total: int) -> None:
    numerators, denominator = exact(total, weights)
    loose = {
        place: Bound(part // denominator, part // denominator + 1) for place, part in enumerate(numerators)
    }
    assert bounded(total, weights, loose) == [Fraction(part, denominator) for part in numerators]


def test_what_a_minimum_takes_all_others_give_in_proportion() -> None:
    assert bounded(100, [60, 30, 10], {2: Bound(25)}) == [50, 25, 25]


def test_what_a_maximum_leaves_all_others_take_in_proportion() -> None:
    assert bounded(100, [60, 30, 10], {0: Bound(0, 20)}) == [20, 60, 20]


def test_a_bound_that_another_bound_makes_tight_holds_too() -> None:
    assert bounded(100, [60, 30, 10], {0: Bound(0, 20), 1: Bound(0, 50)}) == [20, 50, 30]


def test_all_bound_to_the_total_get_just_that() -> None:
    assert bounded(10, [5, 5], {0: Bound(7, 7), 1: Bound(3, 3)}) == [7, 3]


def test_a_hospital_without_a_figure_gets_its_minimum_and_no_more() -> None:
    assert bounded(10, [5, 0], {1: Bound(4, 9)}) == [6, 4]


def test_minimums_above_the_total_are_refused_with_both_sums() -> None:
    with pytest.raises(MinimumsAboveTotal, match="101 > 100"):
        bounded(100, [1, 1], {0: Bound(60), 1: Bound(41)})


def test_maximums_below_the_total_are_refused_with_both_sums() -> None:
    with pytest.raises(MaximumsBelowTotal, match="90 < 100"):
        bounded(100, [1, 1], {0: Bound(0, 50), 1: Bound(0, 40)})


def test_cards_do_not_go_to_who_has_no_figure() -> None:
    with pytest.raises(MaximumsBelowTotal, match="40 < 100"):
        bounded(100, [1, 0], {0: Bound(0, 40)})


def test_equal_remainders_go_to_the_one_listed_first_in_and_among_alliances() -> None:
    assert nested_remainder([1, 1, 1, 1], 2, ["", "A", "A", ""]) == [1, 1, 0, 0]
    assert nested_remainder([1, 1, 1, 1], 2, ["A", "A", "B", "B"]) == [1, 0, 1, 0]


def test_one_card_more_in_all_can_cost_a_hospital_one() -> None:
    """Alabama, 1880: no method that adds up and keeps floor or ceiling is free of it. docs/allocation.md."""
    weights = [6, 6, 2]
    assert largest_remainder(*exact(10, weights)) == [4, 4, 2]
    assert largest_remainder(*exact(11, weights)) == [5, 5, 1]


def test_between_alliances_more_visits_can_mean_one_card_less() -> None:
    """The price of alliances that agree with their own exact quota. docs/allocation.md."""
    weights = [31, 529, 40, 400]
    assert nested_remainder(*exact(10, weights), ["A", "A", "B", ""]) == [1, 5, 0, 4]
    assert largest_remainder(*exact(10, weights)) == [0, 5, 1, 4]
