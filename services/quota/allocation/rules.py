"""Quotas from shares, adjustments and bounds, in exact whole-number arithmetic. Pure.

A hospital's exact quota is total × its share of the basis, plus what adjustments move to it, held between
its bounds. Two ways make whole cards of it: `largest_remainder` adds up to the total, for alliances and
hospitals alike; `round_each` rounds each hospital alone, as the 2020 notice did, and the difference is
shown. docs/allocation.md tells what holds, and what no method can hold.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from services.quota.allocation.errors import NoVisits, QuotaNegative
from services.quota.apportionment.rules import (
    Bound,
    nested_remainder,
    round_each,
    scale_between,
    scaled,
)
from shared.rates import rate_text

Method = Literal["largest_remainder", "round_each"]

# The basis that comes with the list of hospitals.
VISITS = "visits"
# Share points, and figures of a basis, have at most six decimals; a point is a hundredth of the total.
_MICRO = 1_000_000
_POINT_PARTS = 100 * _MICRO
# Published shares have nine decimals; three more keep them right when they are rounded again.
_SHARE_PARTS = 10**12


@dataclass(frozen=True, slots=True)
class Unit:
    """A hospital as a base for quotas; its share is of `basis_value`, or of the visits when that is None."""

    hospital_id: str
    hospital: str
    alliance: str
    visits: int
    basis_value: Decimal | None = None

    @property
    def figure(self) -> Decimal:
        """What its share is of."""
        return Decimal(self.visits) if self.basis_value is None else self.basis_value

    @property
    def weight(self) -> int:
        """The figure as a whole number, on one scale for all units of a basis."""
        return self.visits if self.basis_value is None else int(self.basis_value * _MICRO)


@dataclass(frozen=True, slots=True)
class Move:
    """An adjustment between two places of the list: either share points (percent of the total) or cards."""

    source: int
    target: int
    share_points: Decimal | None = None
    cards: int | None = None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A move as it was decided, between hospitals by id."""

    from_hospital_id: str
    to_hospital_id: str
    share_points: Decimal | None
    cards: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class HospitalBound:
    """Bounds of a hospital by id, as they were decided."""

    hospital_id: str
    minimum: int | None
    maximum: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Quota:
    unit: Unit
    points: Decimal
    cards: int
    quota: int


@dataclass(frozen=True, slots=True)
class Exact:
    """What a quota consists of before it is made whole, each in cards × `denominator`."""

    share: int
    moved: int
    bounded: int
    denominator: int

    @property
    def quota(self) -> int:
        return self.share + self.moved + self.bounded


@dataclass(frozen=True, slots=True)
class Allocated:
    """`scale` is what all quotas between their bounds were multiplied by; None without bounds."""

    quotas: Sequence[Quota]
    scale: Fraction | None


def allocate(
    units: Sequence[Unit],
    moves: Iterable[Move],
    *,
    total: int,
    method: Method,
    bounds: Mapping[int, Bound] | None = None,
) -> Allocated:
    """The quota of each unit, in their order; `bounds` by place in the list.

    Raises:
        NoVisits: there is nothing to share by.
        QuotaNegative: the moves take more from a hospital than it has; names each.
        MinimumsAboveTotal, MaximumsBelowTotal: no quotas lie between all bounds.
    """
    points, cards = _moved(len(units), moves)
    numerators, denominator = _exact(units, points, cards, total=total)
    scale: Fraction | None = None
    if bounds:
        scale = scale_between(numerators, denominator, bounds)
        numerators, denominator = scaled(numerators, denominator, bounds, scale)
    if method == "largest_remainder":
        whole = nested_remainder(numerators, denominator, [unit.alliance for unit in units])
    else:
        whole = round_each(numerators, denominator)
    quotas = [
        Quota(unit=unit, points=Decimal(micro) / _MICRO, cards=extra, quota=quota)
        for unit, micro, extra, quota in zip(units, points, cards, whole, strict=True)
    ]
    return Allocated(quotas, scale)


def _exact(
    units: Sequence[Unit], points: Sequence[int], cards: Sequence[int], *, total: int
) -> tuple[list[int], int]:
    """Exact quotas before bounds, over one denominator, so that floors and remainders are whole numbers.

    Raises:
        NoVisits, QuotaNegative.
    """
    weights = sum(unit.weight for unit in units)
    if weights == 0:
        raise NoVisits
    denominator = weights * _POINT_PARTS
    numerators = [
        total * (unit.weight * _POINT_PARTS + weights * micro) + extra * denominator
        for unit, micro, extra in zip(units, points, cards, strict=True)
    ]
    negative = [unit.hospital for unit, part in zip(units, numerators, strict=True) if part < 0]
    if negative:
        raise QuotaNegative("、".join(negative[:10]))
    return numerators, denominator


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


def exact_parts(
    quotas: Sequence[Quota], *, total: int, bounds: Mapping[int, Bound], scale: Fraction | None
) -> list[Exact]:
    """Why each quota is what it is: share of the basis, adjustments, bounds; what is left is rounding."""
    weights = sum(entry.unit.weight for entry in quotas)
    denominator = weights * _POINT_PARTS
    shares = [total * entry.unit.weight * _POINT_PARTS for entry in quotas]
    moved = [total * weights * int(entry.points * _MICRO) + entry.cards * denominator for entry in quotas]
    held = [share + extra for share, extra in zip(shares, moved, strict=True)]
    factor, whole = 1, denominator
    if scale is not None:
        factor = scale.denominator
        held, whole = scaled(held, denominator, bounds, scale)
    return [
        Exact(share * factor, extra * factor, part - (share + extra) * factor, whole)
        for share, extra, part in zip(shares, moved, held, strict=True)
    ]


def cards(numerator: int, denominator: int) -> Decimal:
    """Cards with six decimals, half away from zero."""
    micro = (2 * abs(numerator) * _MICRO + denominator) // (2 * denominator)
    return Decimal(micro if numerator >= 0 else -micro).scaleb(-6)


def alliance_sums(quotas: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The sum for each alliance, in order of appearance; hospitals that stand alone are not among them."""
    sums: dict[str, int] = {}
    for alliance, quota in quotas:
        if alliance:
            sums[alliance] = sums.get(alliance, 0) + quota
    return sums


def share_text(weight: int, weights: int) -> str:
    """A share of the basis as decimal text with twelve decimals, half up."""
    parts = (2 * weight * _SHARE_PARTS + weights) // (2 * weights)
    return f"{parts // _SHARE_PARTS}.{parts % _SHARE_PARTS:012d}"


def fingerprint_of(units: Sequence[Unit]) -> str:
    """Of what quotas are computed from: another list or other figures, another fingerprint."""
    listed = [[unit.hospital_id, unit.alliance, unit.visits, *_figure_of(unit.basis_value)] for unit in units]
    return hashlib.sha256(json.dumps(listed, ensure_ascii=False).encode()).hexdigest()[:32]


def _figure_of(basis_value: Decimal | None) -> list[str]:
    return [] if basis_value is None else [rate_text(basis_value)]
