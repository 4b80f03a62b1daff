"""An institution's day in figures: what the signals judge, and what is usual beside it. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median
from typing import Literal
from uuid import UUID

from shared.ids import HotId
from shared.openinghours import Hours, is_open

# How far back an institution's own past goes, and how many days of it are enough to speak of what is usual.
PAST_DAYS = 28
PAST_ENOUGH = 7
# A voucher that is written off ten minutes after it was issued was claimed at the counter, or by a broker.
PROMPT = timedelta(minutes=10)
# Institutions that never said when they are open are taken to be shut at night.
NIGHT = frozenset({23, 0, 1, 2, 3, 4, 5})
# Medians of fewer say nothing about what is usual.
PEERS_COUNT = 5


@dataclass(frozen=True, slots=True)
class Trace:
    """A write-off as the signals see it. `holder` tells holders apart and has no meaning elsewhere.

    `device` and `place` (an address on one day) tell apart where vouchers were claimed, as far as that is
    noted; they have no meaning elsewhere either.
    """

    redemption: HotId
    terminal_id: str
    voucher: UUID
    holder: int
    bill_fen: int | None
    face_fen: int
    issued_at: datetime
    redeemed_at: datetime
    hour: int
    manual: bool
    live: bool
    device: int | None = None
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """A day in figures, all but `reversed` of live write-offs; `hours` by hour of the campaign's day."""

    live: int = 0
    reversed: int = 0
    redone: int = 0
    manual: int = 0
    prompt: int = 0
    billed: int = 0
    face_bills: int = 0
    same_bills: int = 0
    hours: tuple[int, ...] = (0,) * 24
    holders: tuple[int, ...] = ()

    @property
    def peak(self) -> int:
        return max(self.hours, default=0)


@dataclass(frozen=True, slots=True)
class Day:
    date: date
    figures: Figures


@dataclass(frozen=True, slots=True)
class Peers:
    """Medians of a campaign's institutions on one day; of too few there are none."""

    prompt_share: float = 0.0
    manual_share: float = 0.0
    peak: float | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where several holders claimed what they used here: a device, or an address on one day.

    `holders` and `count` are of live write-offs here, `used` of all of its vouchers that were used
    anywhere; `last` is the latest day of `count`.
    """

    kind: Literal["device", "address"]
    number: int
    holders: int
    count: int
    used: int
    last: date


def roll_up(traces: Iterable[Trace]) -> Figures:
    """One institution's day; the order makes no difference."""
    every = list(traces)
    live = [trace for trace in every if trace.live]
    hours = Counter(trace.hour for trace in live)
    billed = [trace for trace in live if trace.bill_fen is not None]
    others = Counter(trace.bill_fen for trace in billed if not at_face(trace))
    return Figures(
        live=len(live),
        reversed=len(every) - len(live),
        redone=len(redone(every)),
        manual=sum(trace.manual for trace in live),
        prompt=sum(prompt(trace) for trace in live),
        billed=len(billed),
        face_bills=len(billed) - others.total(),
        same_bills=max(others.values(), default=0),
        hours=tuple(hours[hour] for hour in range(24)),
        holders=tuple(sorted(trace.holder for trace in live)),
    )


def peers_of(days: Sequence[Figures]) -> Peers:
    """What is usual on a day; institutions with hardly any write-offs say nothing."""
    active = [day for day in days if day.live >= PEERS_COUNT]
    if len(active) < PEERS_COUNT:
        return Peers()
    return Peers(
        prompt_share=median(day.prompt / day.live for day in active),
        manual_share=median(day.manual / day.live for day in active),
        peak=median(day.peak for day in active),
    )


def closed_hours(opening: Hours | None, day: date) -> frozenset[int]:
    """Hours of a day in which an institution is shut all the while; at night where nobody said."""
    if opening is None:
        return NIGHT
    quarters = (0, 15, 30, 45)
    return frozenset(
        hour
        for hour in range(24)
        if not any(is_open(opening, datetime.combine(day, time(hour, minute))) for minute in quarters)
    )


def prompt(trace: Trace) -> bool:
    return trace.redeemed_at - trace.issued_at <= PROMPT


def at_face(trace: Trace) -> bool:
    return trace.bill_fen == trace.face_fen


def redone(traces: Sequence[Trace]) -> list[Trace]:
    undone = {trace.voucher for trace in traces if not trace.live}
    return [trace for trace in traces if trace.live and trace.voucher in undone]
