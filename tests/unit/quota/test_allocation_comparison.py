"""Why a quota differs between two versions: the parts add up to the difference."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.quota.allocation.rules import Move, Unit, allocate, exact_parts
from services.quota.apportionment.rules import Bound
from services.quota.versions.rules import Cause, Line, alliance_differences, hospital_differences


def version(
    total: int,
    *listed: tuple[str, str, int],
    moves: list[Move] | None = None,
    bounds: dict[int, Bound] | None = None,
) -> list[Line]:
    units = [Unit(f"hos_{name}", name, alliance, visits) for alliance, name, visits in listed]
    found = allocate(units, moves or [], total=total, method="largest_remainder", bounds=bounds)
    parts = exact_parts(found.quotas, total=total, bounds=bounds or {}, scale=found.scale)
    return [Line(quota, part, ()) for quota, part in zip(found.quotas, parts, strict=True)]


def cause(**parts: int) -> Cause:
    names = ("total", "basis", "adjustment", "bounds", "rounding")
    return Cause(**{name: Decimal(parts.get(name, 0)) for name in names})


LIST = (("A", "甲", 60), ("A", "乙", 30), ("", "丙", 10))


def test_another_total_moves_every_hospital_by_its_share() -> None:
    before, after = version(100, *LIST), version(200, *LIST)
    found = hospital_differences(before, after, totals=(100, 200))
    assert [(entry.cards, entry.cause) for entry in found] == [
        (60, cause(total=60)), (30, cause(total=30)), (10, cause(total=10)),
    ]  # fmt: skip


def test_an_adjustment_is_named_where_it_was_taken_and_given() -> None:
    after = version(100, *LIST, moves=[Move(0, 2, cards=5)])
    found = hospital_differences(version(100, *LIST), after, totals=(100, 100))
    assert [entry.cause for entry in found] == [cause(adjustment=-5), cause(), cause(adjustment=5)]


def test_a_bound_is_the_cause_with_those_who_give_too() -> None:
    after = version(100, *LIST, bounds={2: Bound(25)})
    found = hospital_differences(version(100, *LIST), after, totals=(100, 100))
    assert [entry.cause for entry in found] == [cause(bounds=-10), cause(bounds=-5), cause(bounds=15)]


def test_who_came_and_who_left_is_the_basis() -> None:
    later = (("A", "甲", 60), ("A", "丁", 30), ("", "丙", 10))
    found = hospital_differences(version(100, *LIST), version(100, *later), totals=(100, 100))
    assert [(entry.name, entry.before, entry.after, entry.cause) for entry in found] == [
        ("甲", 60, 60, cause()),
        ("丁", None, 30, cause(basis=30)),
        ("丙", 10, 10, cause()),
        ("乙", 30, None, cause(basis=-30)),
    ]


def test_an_alliance_that_a_hospital_left_loses_its_basis() -> None:
    later = (("A", "甲", 60), ("B", "乙", 30), ("", "丙", 10))
    found = alliance_differences(version(100, *LIST), version(100, *later), totals=(100, 100))
    assert [(entry.name, entry.before, entry.after, entry.cause) for entry in found] == [
        ("A", 90, 60, cause(basis=-30)),
        ("B", None, 30, cause(basis=30)),
    ]


visits = st.lists(st.integers(1, 10**6), min_size=3, max_size=3)


@given(visits, visits, st.integers(100, 10**6), st.integers(100, 10**6), st.integers(0, 100))
def test_the_parts_always_add_up_to_the_difference_and_rounding_is_less_than_two_cards(
    first: list[int], second: list[int], total: int, other: int, least: int
) -> None:
    names = (("A", "甲"), ("A", "乙"), ("", "丙"))
    before = version(total, *((*name, count) for name, count in zip(names, first, strict=True)))
    after = version(
        other,
        *((*name, count) for name, count in zip(names, second, strict=True)),
        bounds={1: Bound(least)},
    )
    totals = (total, other)
    compared = hospital_differences(before, after, totals=totals)
    for entry in [*compared, *alliance_differences(before, after, totals=totals)]:
        found = entry.cause
        assert found.total + found.basis + found.adjustment + found.bounds + found.rounding == entry.cards
        assert abs(found.rounding) < Decimal("2.00001")
