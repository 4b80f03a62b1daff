"""Write-offs that a till made without a line. Pure."""

import re
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

Result = Literal["redeemed", "duplicate", "conflict", "refused"]

# api.md: at most so many items in one upload; a till with more sends several.
ITEMS_MAX = 500
# Outside these years a day cannot be moved between time zones everywhere without overflow.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)

INVALID = "invalid_request"
OVER_LIMIT = "offline_cap"
_REQUEST_NO = re.compile(r"[0-9A-Za-z_-]{1,32}")
# `created` and `replayed` are the write-off's own words; used by somebody else meanwhile is a conflict.
_RESULTS: dict[str, Result] = {
    "created": "redeemed",
    "replayed": "duplicate",
    "already_redeemed": "conflict",
}


def result_of(word: str) -> Result:
    return _RESULTS.get(word, "refused")


def item_fault(*, request_no: str, bill_fen: int | None, bill_fen_max: int) -> str | None:
    """What is wrong with an item by itself; it is refused, and the others are not harmed."""
    if _REQUEST_NO.fullmatch(request_no) is None:
        return INVALID
    if bill_fen is not None and not 0 <= bill_fen <= bill_fen_max:
        return INVALID
    return None


def rounds(keys: Sequence[Collection[Hashable]]) -> list[list[int]]:
    """Positions in rounds, so that no round has a key twice and those of one key keep their order.

    A number that stands twice in an upload is a repetition of the first, and a voucher that does was used
    by the first: each is judged after it.
    """
    seen: dict[Hashable, int] = {}
    found: list[list[int]] = []
    for position, own in enumerate(keys):
        turn = max((seen.get(key, 0) for key in own), default=0)
        seen |= dict.fromkeys(own, turn + 1)
        if turn == len(found):
            found.append([])
        found[turn].append(position)
    return found


@dataclass(frozen=True, slots=True)
class DayLimit:
    """What a terminal may upload of one day of use; None: as much as it likes."""

    count: int | None
    fen: int | None


@dataclass(frozen=True, slots=True)
class Stake:
    """What an item of an upload would take of its day's limit."""

    place: int
    campaign_id: UUID
    day: date
    fen: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What stands of a day already."""

    count: int
    fen: int


@dataclass(frozen=True, slots=True)
class Sorted:
    """Places of an upload: let in now, refused now; what is in neither waits for what becomes of these."""

    fit: frozenset[int]
    over: frozenset[int]


def sort_out(
    stakes: Sequence[Stake], limits: Mapping[UUID, DayLimit], taken: Mapping[tuple[UUID, date], Taken]
) -> Sorted:
    """Which items fit into their days, the one that was used first before the others.

    `stakes` stand in the order of use. What fits may still be refused for another reason, and then leaves
    room: so whatever stands behind the first of a day that does not fit waits, unless nothing of that day
    was let in before it. The first stake of a day is always decided, so calling this again comes to an end.
    """
    counts: Counter[tuple[UUID, date]] = Counter({key: one.count for key, one in taken.items()})
    fens: Counter[tuple[UUID, date]] = Counter({key: one.fen for key, one in taken.items()})
    fit, over = set(), set()
    let_in, closed = set(), set()
    for stake in stakes:
        limit, key = limits[stake.campaign_id], (stake.campaign_id, stake.day)
        if key in closed:
            continue
        fits = limit.count is None or counts[key] + 1 <= limit.count
        if fits and (limit.fen is None or fens[key] + stake.fen <= limit.fen):
            counts[key] += 1
            fens[key] += stake.fen
            fit.add(stake.place)
            let_in.add(key)
        elif key in let_in:
            closed.add(key)
        else:
            over.add(stake.place)
    return Sorted(frozenset(fit), frozenset(over))
