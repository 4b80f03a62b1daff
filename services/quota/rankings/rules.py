"""The monthly ranking. Pure.

Ordered by rate (issued ÷ quota, both to the month's end), compared as exact fractions. Equal rates share a
rank and the next rank skips (competition ranks). A hospital is flagged when it has not met its quota AND
fewer than three hospitals rank strictly below it. Without a quota nobody is ranked or flagged.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from shared.rankings import competition_ranks

LAST_PLACES = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """A hospital at a month's end."""

    hospital_id: str
    hospital: str
    alliance: str
    quota: int
    issued: int
    month_issued: int


@dataclass(frozen=True, slots=True)
class Ranked:
    standing: Standing
    rank: int | None
    rank_change: int | None
    flagged: bool


def ranks(standings: Sequence[Standing]) -> dict[str, int]:
    """The rank of each hospital that has a quota."""
    return competition_ranks(
        {
            standing.hospital_id: Fraction(standing.issued, standing.quota)
            for standing in standings
            if standing.quota > 0
        }
    )


def ranking(standings: Sequence[Standing], last_ranks: Mapping[str, int]) -> list[Ranked]:
    """Best first, equal ones in the order of the list, those without a quota at the end.

    `last_ranks` are last month's; `rank_change` is how many ranks a hospital rose (+) or fell (−) since,
    None when it had none.
    """
    now = ranks(standings)
    ordered = sorted(now.values())
    ranked = []
    for standing in standings:
        rank = now.get(standing.hospital_id)
        last = last_ranks.get(standing.hospital_id)
        below = 0 if rank is None else len(ordered) - bisect_right(ordered, rank)
        ranked.append(
            Ranked(
                standing=standing,
                rank=rank,
                rank_change=None if rank is None or last is None else last - rank,
                flagged=rank is not None and standing.issued < standing.quota and below < LAST_PLACES,
            )
        )
    return sorted(ranked, key=lambda entry: (entry.rank is None, entry.rank or 0))
