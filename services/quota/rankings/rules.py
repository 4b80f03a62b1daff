"""The monthly ranking. Pure.

Ordered by rate (issued ÷ quota, both to the month's end), compared as exact fractions. Equal rates share a
rank and the next rank skips (competition ranks). A hospital is flagged when it has not met its quota AND
fewer than three hospitals rank strictly below it. Without a quota nobody is ranked or flagged. The same holds
within each level, for bureaus that do not compare a township's centre with the county's hospital.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from shared.rankings import competition_ranks

LAST_PLACES = 3
# Two rates of quotas below a billion that differ do so by more than 10^-18: whole parts of 10^-20 order them
# exactly as fractions do, at a tenth of their price.
_FINER = 10**20


@dataclass(frozen=True, slots=True)
class Standing:
    """A hospital at a month's end; the last two are its outlook as of then."""

    hospital_id: str
    hospital: str
    alliance: str
    quota: int
    issued: int
    month_issued: int
    level: str = ""
    needed_per_working_day: int | None = None
    miss_probability: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a hospital stands in a list."""

    rank: int | None = None
    rank_change: int | None = None
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class Ranked:
    """A hospital's place among all, and among those of its level."""

    standing: Standing
    place: Place
    in_level: Place


@dataclass(frozen=True, slots=True)
class LastRanks:
    """Last month's ranks by hospital: among all, and within the level that each had then."""

    overall: Mapping[str, int]
    in_level: Mapping[str, tuple[str, int]]


NO_LAST_RANKS = LastRanks({}, {})


def ranks(standings: Sequence[Standing]) -> dict[str, int]:
    """The rank of each hospital that has a quota."""
    return competition_ranks(
        {
            standing.hospital_id: standing.issued * _FINER // standing.quota
            for standing in standings
            if standing.quota > 0
        }
    )


def last_ranks(standings: Sequence[Standing]) -> LastRanks:
    """What this month's ranks are to the month after it."""
    return LastRanks(
        ranks(standings),
        {
            key: (level, rank)
            for level, listed in by_level(standings).items()
            for key, rank in ranks(listed).items()
        },
    )


def by_level(standings: Sequence[Standing]) -> dict[str, list[Standing]]:
    """In order of appearance; those without a level are a list of their own, under the empty name."""
    found: dict[str, list[Standing]] = {}
    for standing in standings:
        found.setdefault(standing.level, []).append(standing)
    return found


def ranking(standings: Sequence[Standing], last: LastRanks) -> list[Ranked]:
    """Best first, equal ones in the order of the list, those without a quota at the end.

    `rank_change` is how many ranks a hospital rose (+) or fell (−) since last month, None when it had none;
    within a level also when it was in another one.
    """
    overall = _places(standings, last.overall)
    in_level: dict[str, Place] = {}
    for level, listed in by_level(standings).items():
        before = {key: rank for key, (then, rank) in last.in_level.items() if then == level}
        in_level |= _places(listed, before)
    ranked = [
        Ranked(standing, overall[standing.hospital_id], in_level[standing.hospital_id])
        for standing in standings
    ]
    return sorted(ranked, key=lambda entry: in_order(entry.place.rank))


def in_order(rank: int | None) -> tuple[bool, int]:
    """To sort by: the unranked come last."""
    return rank is None, rank or 0


def _places(standings: Sequence[Standing], last: Mapping[str, int]) -> dict[str, Place]:
    now = ranks(standings)
    ordered = sorted(now.values())
    places = {}
    for standing in standings:
        rank, before = now.get(standing.hospital_id), last.get(standing.hospital_id)
        below = 0 if rank is None else len(ordered) - bisect_right(ordered, rank)
        places[standing.hospital_id] = Place(
            rank=rank,
            rank_change=None if rank is None or before is None else before - rank,
            flagged=rank is not None and standing.issued < standing.quota and below < LAST_PLACES,
        )
    return places
