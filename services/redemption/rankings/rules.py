"""Ranks by write-offs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

# Enough for 100,000 institutions; api.md: at most six decimals.
_SHARE_PLACES = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Count:
    """An institution's live write-offs of a month."""

    institution_id: str
    name: str
    count: int
    amount_fen: int
    distinct_holders: int


@dataclass(frozen=True, slots=True)
class Ranked:
    rank: int
    share: Decimal
    of: Count


def ranked(counts: Sequence[Count]) -> list[Ranked]:
    """Most write-offs first. Equal counts share a rank and the next rank skips; money decides nothing.

    `share` is an institution's part of all write-offs of the month.
    """
    total = sum(count.count for count in counts)
    ordered = sorted(counts, key=lambda count: (-count.count, count.name, count.institution_id))
    found: list[Ranked] = []
    for place, count in enumerate(ordered, start=1):
        tied = found and found[-1].of.count == count.count
        rank = found[-1].rank if tied else place
        share = Decimal(count.count) / total if total else Decimal(0)
        found.append(Ranked(rank, share.quantize(_SHARE_PLACES), count))
    return found


def next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
