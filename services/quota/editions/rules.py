"""In which order months are frozen, and what two editions say differently. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from services.quota.rankings.rules import Ranked
from shared.rankings import month_of


def first_open_month(
    frozen_through: date | None, first_card: date | None, starts_on: date | None
) -> date | None:
    """The first day of the month that is to be frozen next; None before the first card: then it is any.

    Cards that are dated before the programme began (by a wrong clock) ask for no months of their own.
    """
    if frozen_through is not None:
        return frozen_through + timedelta(days=1)
    if first_card is None:
        return None
    return month_of(max(first_card, starts_on or first_card))[0]


@dataclass(frozen=True, slots=True)
class Line:
    """What an edition says of a hospital."""

    rank: int | None
    quota: int
    month_issued: int
    issued: int
    rank_change: int | None
    flagged: bool
    alliance: str
    level: str


@dataclass(frozen=True, slots=True)
class Changed:
    hospital_id: str
    hospital: str
    fields: tuple[str, ...]
    before: Line | None
    after: Line | None


def line_of(entry: Ranked) -> Line:
    standing = entry.standing
    return Line(
        rank=entry.place.rank,
        quota=standing.quota,
        month_issued=standing.month_issued,
        issued=standing.issued,
        rank_change=entry.place.rank_change,
        flagged=entry.place.flagged,
        alliance=standing.alliance,
        level=standing.level,
    )


def compared(before: Sequence[Ranked], after: Sequence[Ranked]) -> list[Changed]:
    """The hospitals whose lines differ, in the order of the later edition, those only in the earlier last."""
    old = {entry.standing.hospital_id: entry for entry in before}
    new = {entry.standing.hospital_id: entry for entry in after}
    found = []
    for key in dict.fromkeys([*new, *old]):
        was, now = old.get(key), new.get(key)
        first, second = line_of(was) if was else None, line_of(now) if now else None
        if first != second:
            hospital = (new if now else old)[key].standing.hospital
            found.append(Changed(key, hospital, _fields(first, second), first, second))
    return found


def _fields(first: Line | None, second: Line | None) -> tuple[str, ...]:
    if first is None or second is None:
        return ("listed",)
    one, other = asdict(first), asdict(second)
    return tuple(name for name in one if one[name] != other[name])
