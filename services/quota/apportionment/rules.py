"""Whole cards from exact quotas, in whole numbers only. Pure. docs/allocation.md says why these rules.

Exact quotas are numerators over one denominator; their sum is a whole number, the total.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from services.quota.apportionment.errors import MaximumsBelowTotal, MinimumsAboveTotal


@dataclass(frozen=True, slots=True)
class Bound:
    """The least and the most, in whole cards; no `maximum`: as many as there are."""

    minimum: int = 0
    maximum: int | None = None


def largest_remainder(numerators: Sequence[int], denominator: int, whole: int | None = None) -> list[int]:
    """Whole parts that add up to `whole`, each the floor or the ceiling of its exact one.

    One more than the floor goes to the largest remainders, ties to the one listed first. `whole` is the
    sum of the exact parts, or its floor or ceiling.
    """
    floors = [part // denominator for part in numerators]
    total = sum(numerators) // denominator if whole is None else whole
    order = sorted(range(len(floors)), key=lambda place: (-(numerators[place] % denominator), place))
    for place in order[: total - sum(floors)]:
        floors[place] += 1
    return floors


def nested_remainder(numerators: Sequence[int], denominator: int, alliances: Sequence[str]) -> list[int]:
    """The largest remainder twice: of the alliances (and who stands alone), then within each alliance.

    So an alliance's quota is both: its own largest-remainder quota, and the sum of its hospitals'; and
    alliance and hospital each get the floor or the ceiling of their exact quota.
    """
    groups: dict[str | int, list[int]] = {}
    for place, alliance in enumerate(alliances):
        groups.setdefault(alliance or place, []).append(place)
    members = list(groups.values())
    sums = [sum(numerators[place] for place in group) for group in members]
    parts = [0] * len(numerators)
    for group, whole in zip(members, largest_remainder(sums, denominator), strict=True):
        found = largest_remainder([numerators[place] for place in group], denominator, whole)
        for place, part in zip(group, found, strict=True):
            parts[place] = part
    return parts


def round_each(numerators: Sequence[int], denominator: int) -> list[int]:
    """Each part rounded alone, half up."""
    return [(2 * part + denominator) // (2 * denominator) for part in numerators]


def scale_between(numerators: Sequence[int], denominator: int, bounds: Mapping[int, Bound]) -> Fraction:
    """The one factor that makes all exact quotas, each held between its bounds, add up to the total again.

    Its existence is what keeps proportions: whoever is between its bounds keeps its share among all others
    who are. Found by going up through the factors at which somebody leaves a minimum or meets a maximum.

    Raises:
        MinimumsAboveTotal, MaximumsBelowTotal: there is none.
    """
    total = sum(numerators) // denominator
    fixed = sum(bound.minimum for bound in bounds.values())
    if fixed > total:
        raise MinimumsAboveTotal(f"{fixed} > {total}")
    free = sum(part for place, part in enumerate(numerators) if place not in bounds)
    # At a factor, somebody's card count stops (or begins) to be fixed: (factor, fixed cards, free parts).
    turns: list[tuple[Fraction, int, int]] = []
    for place, bound in bounds.items():
        part = numerators[place]
        if part:
            turns.append((Fraction(bound.minimum * denominator, part), -bound.minimum, part))
            if bound.maximum is not None:
                turns.append((Fraction(bound.maximum * denominator, part), bound.maximum, -part))
    for factor, cards, part in sorted(turns):
        if fixed + factor * Fraction(free, denominator) >= total:
            break
        fixed += cards
        free += part
    if free:
        return Fraction((total - fixed) * denominator, free)
    if fixed < total:
        raise MaximumsBelowTotal(f"{fixed} < {total}")
    return Fraction(0)


def scaled(
    numerators: Sequence[int], denominator: int, bounds: Mapping[int, Bound], scale: Fraction
) -> tuple[list[int], int]:
    """All exact quotas times the factor, held between their bounds; they add up to the total as before."""
    whole = denominator * scale.denominator
    parts = [part * scale.numerator for part in numerators]
    for place, bound in bounds.items():
        parts[place] = max(parts[place], bound.minimum * whole)
        if bound.maximum is not None:
            parts[place] = min(parts[place], bound.maximum * whole)
    return parts, whole
