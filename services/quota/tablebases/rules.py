"""What a table's quotas were computed from, found out of the table itself. Pure.

The base is the total of the text; when another one explains clearly more rows, it is that one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from services.quota.publishedtables.rules import Line, Measure, PublishedTable

HALF = Fraction(1, 2)
# An inferred base must explain at least this part of the rows, else the table follows no rule we know.
_BASE_SUPPORT = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What adjustments move to a row: percentage points of the base, and cards."""

    points: Fraction = Fraction(0)
    cards: int = 0


def base_of(table: PublishedTable, adjusted: Sequence[Adjusted], stated: int | None) -> int | None:
    """What the quotas were computed from: the stated total, unless another explains more rows."""
    inferred, support = _inferred_base(table, adjusted)
    if stated is None:
        return inferred if inferred is not None else sum_of(table.lines, "quota") or None
    if inferred is None or support <= _support(table, adjusted, stated):
        return stated
    return inferred


def exact_quotas(
    table: PublishedTable, adjusted: Sequence[Adjusted], base: int | None
) -> list[Fraction | None]:
    return [
        None if weight is None or base is None else base * weight + moved.cards
        for weight, moved in zip(_weights(table, adjusted), adjusted, strict=True)
    ]


def _weights(table: PublishedTable, adjusted: Sequence[Adjusted]) -> list[Fraction | None]:
    """Each row's part of the base: by visits, by printed share where there are none, with adjustments."""
    visits = all_visits(table)
    weights: list[Fraction | None] = []
    for line, moved in zip(table.lines, adjusted, strict=True):
        share: Fraction | None = None
        if visits and line.visits is not None:
            share = Fraction(line.visits, visits)
        elif not visits and line.share is not None:
            share = Fraction(line.share.value)
        weights.append(None if share is None else share + moved.points / 100)
    return weights


def _support(table: PublishedTable, adjusted: Sequence[Adjusted], base: int) -> int:
    """How many rows are what this base gives, rounded half up."""
    exact = exact_quotas(table, adjusted, base)
    return sum(
        1
        for line, quota in zip(table.lines, exact, strict=True)
        if line.quota is not None and quota is not None and line.quota == half_up(quota)
    )


def _inferred_base(table: PublishedTable, adjusted: Sequence[Adjusted]) -> tuple[int | None, int]:
    """The roundest whole base that explains the most rows, and how many; None below half of them.

    Each row allows the bases between two bounds; going through all bounds in order finds where most meet.
    """
    bounds: list[tuple[Fraction, int]] = []
    rows = 0
    for line, weight, moved in zip(table.lines, _weights(table, adjusted), adjusted, strict=True):
        if line.quota is None or weight is None or weight <= 0:
            continue
        rows += 1
        bounds.append(((line.quota - moved.cards - HALF) / weight, 1))
        bounds.append(((line.quota - moved.cards + HALF) / weight, -1))
    best: int | None = None
    support = meeting = 0
    added = sum_of(table.lines, "quota")
    bounds.sort()
    for place, (start, step) in enumerate(bounds[:-1]):
        meeting += step
        end = bounds[place + 1][0]
        # What the rows add up to is the likeliest base of all, where it is possible.
        candidate = added if start <= added < end else _roundest(start, end)
        if meeting > support and candidate is not None:
            best, support = candidate, meeting
    if best is None or support < rows * _BASE_SUPPORT or support < 2:  # noqa: PLR2004 - one row explains nothing
        return None, 0
    return best, support


def _roundest(start: Fraction, end: Fraction) -> int | None:
    """The whole number in [start, end) with the most zeros at its end."""
    for zeros in range(9, -1, -1):
        unit: int = 10**zeros
        candidate = -(-start.numerator // (start.denominator * unit)) * unit
        if candidate < end and candidate > 0:
            return candidate
    return None


def all_visits(table: PublishedTable) -> int:
    return sum(line.visits or 0 for line in table.lines)


def sum_of(lines: Sequence[Line], measure: Measure) -> int:
    values: Mapping[Measure, list[int | None]] = {
        "visits": [line.visits for line in lines],
        "quota": [line.quota for line in lines],
        "share": [],
    }
    return sum(value or 0 for value in values[measure])


def half_up(value: Fraction) -> int:
    doubled = 2 * value + 1
    return doubled.numerator // (2 * doubled.denominator)
