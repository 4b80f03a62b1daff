"""Quotas from visits, in exact whole-number arithmetic. Pure.

A hospital's exact quota is total × its share of visits, plus what adjustments move to it. Two ways to
make whole cards of it:

- `largest_remainder`: every hospital gets its floor; what is left of the total goes, one card each, to the
  largest remainders, ties to the hospital listed first. Ranked over all hospitals at once, and an alliance's
  quota is the sum of its hospitals: so lists, alliances and total always agree, whichever way they are
  grouped, and each hospital is within one card of its exact quota. (An alliance may be further from its
  own exact quota, by less than one card for each of its hospitals.) A hospital with more visits never
  gets less than another with fewer. But like every method that adds up and keeps each hospital within one
  card, it is not monotone over time: when several change, one may lose a card although its visits grew.
- `round_each`: each hospital is rounded alone, half up, as the 2020 notice did. The sum may miss the total;
  the difference is shown.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Literal

from services.quota.allocation.errors import NoVisits, QuotaNegative
from shared.documents.sheets import normalise

Method = Literal["largest_remainder", "round_each"]

# Share points have at most six decimals; a point is a hundredth of the total.
_MICRO = 1_000_000
_POINT_PARTS = 100 * _MICRO
# Published shares have nine decimals; three more keep them right when they are rounded again.
_SHARE_DECIMALS = Decimal("1e-12")
_SHARE_PRECISION = 60


@dataclass(frozen=True, slots=True)
class Unit:
    """A hospital as a base for quotas."""

    hospital_id: str
    hospital: str
    alliance: str
    visits: int


@dataclass(frozen=True, slots=True)
class Move:
    """An adjustment between two places of the list: either share points (percent of the total) or cards."""

    source: int
    target: int
    share_points: Decimal | None = None
    cards: int | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    unit: Unit
    points: Decimal
    cards: int
    quota: int


def allocate(units: Sequence[Unit], moves: Iterable[Move], *, total: int, method: Method) -> list[Quota]:
    """The quota of each unit, in their order.

    Raises:
        NoVisits: there is nothing to share by.
        QuotaNegative: the moves take more from a hospital than it has; names each.
    """
    visits = sum(unit.visits for unit in units)
    if visits == 0:
        raise NoVisits
    points, cards = _moved(len(units), moves)
    # All quotas over one denominator, so that floors and remainders are whole numbers.
    denominator = visits * _POINT_PARTS
    numerators = [
        total * (unit.visits * _POINT_PARTS + visits * micro) + extra * denominator
        for unit, micro, extra in zip(units, points, cards, strict=True)
    ]
    negative = [unit.hospital for unit, part in zip(units, numerators, strict=True) if part < 0]
    if negative:
        raise QuotaNegative("、".join(negative[:10]))
    rounding = largest_remainder if method == "largest_remainder" else round_each
    return [
        Quota(unit=unit, points=Decimal(micro) / _MICRO, cards=extra, quota=quota)
        for unit, micro, extra, quota in zip(
            units, points, cards, rounding(numerators, denominator), strict=True
        )
    ]


def largest_remainder(numerators: Sequence[int], denominator: int) -> list[int]:
    """Whole parts that add up to the (whole) sum of the exact ones; ties to the one listed first."""
    floors = [part // denominator for part in numerators]
    left = sum(numerators) // denominator - sum(floors)
    order = sorted(range(len(floors)), key=lambda place: (-(numerators[place] % denominator), place))
    for place in order[:left]:
        floors[place] += 1
    return floors


def round_each(numerators: Sequence[int], denominator: int) -> list[int]:
    """Each part rounded alone, half up."""
    return [(2 * part + denominator) // (2 * denominator) for part in numerators]


def _moved(count: int, moves: Iterable[Move]) -> tuple[list[int], list[int]]:
    """Millionths of a point, and cards, moved to each place; both lists add up to zero."""
    points, cards = [0] * count, [0] * count
    for move in moves:
        micro = int((move.share_points or 0) * _MICRO)
        points[move.source] -= micro
        points[move.target] += micro
        cards[move.source] -= move.cards or 0
        cards[move.target] += move.cards or 0
    return points, cards


def alliance_sums(quotas: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The sum for each alliance, in order of appearance; hospitals that stand alone are not among them."""
    sums: dict[str, int] = {}
    for alliance, quota in quotas:
        if alliance:
            sums[alliance] = sums.get(alliance, 0) + quota
    return sums


def share_text(visits: int, all_visits: int) -> str:
    """A share of visits as decimal text with twelve decimals."""
    with localcontext() as context:
        context.prec = _SHARE_PRECISION
        share = (Decimal(visits) / Decimal(all_visits)).quantize(_SHARE_DECIMALS, rounding=ROUND_HALF_UP)
    return format(share, "f")


def places_by_name(units: Sequence[Unit]) -> Mapping[str, int]:
    """Where a hospital stands in the list, by its id and by its name in any spelling."""
    by_name = {normalise(unit.hospital): place for place, unit in enumerate(units)}
    return {**by_name, **{unit.hospital_id: place for place, unit in enumerate(units)}}


def basis_of(units: Sequence[Unit]) -> str:
    """A fingerprint of what quotas are computed from: another list, another fingerprint."""
    listed = [[unit.hospital_id, unit.alliance, unit.visits] for unit in units]
    return hashlib.sha256(json.dumps(listed, ensure_ascii=False).encode()).hexdigest()[:32]
