"""Signals of cash-out and collusion, judged on an institution's rolled-up days. Pure.

Each signal has named thresholds, a score (60 at the threshold, 100 where hardly anything else explains it)
and reasons: what was seen beside what would still be usual. What is usual comes from the institution itself
(declared capacity, opening hours, its own past) and from its peers on the same day, because a crowded
opening day is crowded everywhere.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median
from typing import Literal
from uuid import UUID

from shared.ids import HotId
from shared.openinghours import Hours, is_open

Signal = Literal["capacity", "burst", "hours", "amounts", "closed_group", "manual", "reversals", "jump"]
Suggestion = Literal["watch", "hold_settlement"]

# How far back an institution's own past goes, and how many days of it are enough to speak of what is usual.
PAST_DAYS = 28
PAST_ENOUGH = 7

# More write-offs in an hour than declared; without a declaration three times its usual peak (or that of
# its peers), and never fewer than 15: two tills do that on any good morning.
CAPACITY_TIMES = 3
CAPACITY_FLOOR = 15
# A voucher that is written off ten minutes after it was issued was claimed at the counter, or by a broker.
PROMPT = timedelta(minutes=10)
BURST_COUNT, BURST_SHARE, BURST_CERTAIN = 8, 0.3, 0.7
# Institutions that never said when they are open are taken to be shut at night.
NIGHT = frozenset({23, 0, 1, 2, 3, 4, 5})
HOURS_COUNT, HOURS_SHARE, HOURS_CERTAIN = 6, 0.2, 0.6
# Real bills scatter. Bills at the face value take everything out of a voucher and bring nothing.
FACE_COUNT, FACE_SHARE, FACE_CERTAIN = 8, 0.4, 0.8
SAME_COUNT, SAME_SHARE, SAME_CERTAIN = 10, 0.4, 0.8
# Holders who come three times in two weeks are few; where much of it is theirs, or where several of them
# come on the same days again and again, it is a closed group. A family of three is none.
GROUP_DAYS = 14
GROUP_VISITS = 3
GROUP_COUNT, GROUP_SHARE, GROUP_CERTAIN = 12, 0.3, 0.7
TOGETHER, TOGETHER_CERTAIN = 4, 8
TOGETHER_DAYS, TOGETHER_OVERLAP = 3, 0.75
# Each is compared with each.
GROUP_REGULARS_MAX = 300
MANUAL_COUNT, MANUAL_SHARE, MANUAL_CERTAIN = 6, 0.3, 0.7
REVERSED_COUNT, REVERSED_SHARE, REVERSED_CERTAIN = 5, 0.2, 0.5
REDONE_COUNT, REDONE_CERTAIN = 4, 10
# Against its own past: far outside the scatter, and a multiple of the median. It says when, not which.
JUMP_COUNT, JUMP_TIMES, JUMP_SCATTER = 30, 4, 6
JUMP_SCORE = 50
# Shares that all peers show at once are the campaign's, not the institution's.
PEERS_TIMES = 2
PEERS_COUNT = 5

# A case names a terminal when four fifths of its write-offs came from it.
TERMINAL_SHARE = 0.8

SCORE_AT_THRESHOLD, SCORE_MAX = 60, 100
# What exceeds only what is usual, not what was declared, may just be a good day.
SCORE_OF_USUAL = 50
HOLD_FROM = 60


@dataclass(frozen=True, slots=True)
class Trace:
    """A write-off as the signals see it. `holder` tells holders apart and has no meaning elsewhere."""

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
class View:
    """What a day is judged by. `past` is oldest first and without the day itself."""

    today: Day
    past: Sequence[Day]
    peers: Peers
    hourly: int | None = None
    closed: frozenset[int] = NIGHT


@dataclass(frozen=True, slots=True)
class Reason:
    """What was seen (`value`) and from where on it counts (`threshold`), under a stable word."""

    code: str
    value: float
    threshold: float


Selects = Callable[[Sequence[Trace]], list[Trace]]


@dataclass(frozen=True, slots=True)
class Finding:
    """A signal in a window of days; `selects` picks its write-offs out of all of the window's."""

    kind: Signal
    score: int
    first: date
    last: date
    reasons: tuple[Reason, ...]
    selects: Selects

    @property
    def suggested(self) -> Suggestion:
        return "hold_settlement" if self.score >= HOLD_FROM else "watch"

    @property
    def window(self) -> date:
        """The day that names the window: a group is looked at once a week, everything else daily."""
        return self.last - timedelta(days=self.last.weekday()) if self.kind == "closed_group" else self.last


def roll_up(traces: Iterable[Trace]) -> Figures:
    """One institution's day; the order makes no difference."""
    every = list(traces)
    live = [trace for trace in every if trace.live]
    hours = Counter(trace.hour for trace in live)
    billed = [trace for trace in live if trace.bill_fen is not None]
    others = Counter(trace.bill_fen for trace in billed if not _at_face(trace))
    return Figures(
        live=len(live),
        reversed=len(every) - len(live),
        redone=len(_redone(every)),
        manual=sum(trace.manual for trace in live),
        prompt=sum(_prompt(trace) for trace in live),
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


def judge(view: View) -> list[Finding]:
    """Everything that stands out on a day."""
    found = (signal(view) for signal in _SIGNALS)
    return [finding for finding in found if finding is not None]


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


def terminal_of(evidence: Sequence[Trace]) -> str | None:
    """The till that nearly all of it came from, if there is one."""
    ((terminal_id, count),) = Counter(trace.terminal_id for trace in evidence).most_common(1)
    return terminal_id if count >= TERMINAL_SHARE * len(evidence) else None


def _prompt(trace: Trace) -> bool:
    return trace.redeemed_at - trace.issued_at <= PROMPT


def _at_face(trace: Trace) -> bool:
    return trace.bill_fen == trace.face_fen


def _redone(traces: Sequence[Trace]) -> list[Trace]:
    undone = {trace.voucher for trace in traces if not trace.live}
    return [trace for trace in traces if trace.live and trace.voucher in undone]


def _score(value: float, threshold: float, certain: float) -> int:
    part = (value - threshold) / (certain - threshold)
    return SCORE_AT_THRESHOLD + round((SCORE_MAX - SCORE_AT_THRESHOLD) * min(1.0, max(0.0, part)))


def _live(fits: Callable[[Trace], bool]) -> Selects:
    return lambda traces: [trace for trace in traces if trace.live and fits(trace)]


def _on_day(view: View, kind: Signal, score: int, selects: Selects, *reasons: Reason) -> Finding:
    return Finding(kind, score, view.today.date, view.today.date, reasons, selects)


def _active_past(view: View) -> list[Figures]:
    return [day.figures for day in view.past if day.figures.live]


def _capacity(view: View) -> Finding | None:
    today = view.today.figures
    if view.hourly is not None:
        limit, code = float(view.hourly), "hourly_over_declared"
    else:
        past = _active_past(view)
        own = median(day.peak for day in past) if len(past) >= PAST_ENOUGH else None
        usual = own if own is not None else view.peers.peak
        if usual is None:
            return None
        limit, code = (
            max(CAPACITY_FLOOR, CAPACITY_TIMES * max(usual, view.peers.peak or 0)),
            "hourly_over_usual",
        )
    over = frozenset(hour for hour, count in enumerate(today.hours) if count > limit)
    if not over:
        return None
    score = _score(today.peak, limit, 2 * limit)
    if view.hourly is None:
        score -= SCORE_AT_THRESHOLD - SCORE_OF_USUAL
    return _on_day(
        view, "capacity", score, _live(lambda trace: trace.hour in over), Reason(code, today.peak, limit)
    )


def _burst(view: View) -> Finding | None:
    today = view.today.figures
    threshold = max(BURST_SHARE, PEERS_TIMES * view.peers.prompt_share)
    share = _share(today.prompt, today.live)
    if today.prompt < BURST_COUNT or share < threshold:
        return None
    score = _score(share, BURST_SHARE, BURST_CERTAIN)
    return _on_day(
        view, "burst", score, _live(_prompt), Reason("share_within_minutes_of_issue", share, threshold)
    )


def _hours(view: View) -> Finding | None:
    today = view.today.figures
    count = sum(today.hours[hour] for hour in view.closed)
    share = _share(count, today.live)
    if count < HOURS_COUNT or share < HOURS_SHARE:
        return None
    score = _score(share, HOURS_SHARE, HOURS_CERTAIN)
    closed = view.closed
    return _on_day(
        view,
        "hours",
        score,
        _live(lambda trace: trace.hour in closed),
        Reason("share_while_shut", share, HOURS_SHARE),
    )


def _amounts(view: View) -> Finding | None:
    today = view.today.figures
    face, same = _share(today.face_bills, today.billed), _share(today.same_bills, today.billed)
    if today.face_bills >= FACE_COUNT and face >= FACE_SHARE:
        reason = Reason("share_of_bills_at_face_value", face, FACE_SHARE)
        return _on_day(view, "amounts", _score(face, FACE_SHARE, FACE_CERTAIN), _live(_at_face), reason)
    if today.same_bills >= SAME_COUNT and same >= SAME_SHARE:
        reason = Reason("share_of_identical_bills", same, SAME_SHARE)
        return _on_day(view, "amounts", _score(same, SAME_SHARE, SAME_CERTAIN), _identical, reason)
    return None


def _identical(traces: Sequence[Trace]) -> list[Trace]:
    others = [trace for trace in traces if trace.live and trace.bill_fen is not None and not _at_face(trace)]
    amounts = Counter(trace.bill_fen for trace in others)
    most = max(amounts.values(), default=0)
    return [trace for trace in others if amounts[trace.bill_fen] == most]


def _closed_group(view: View) -> Finding | None:
    first = view.today.date - timedelta(days=GROUP_DAYS - 1)
    days = [*(day for day in view.past if day.date >= first), view.today]
    visits = Counter(holder for day in days for holder in day.figures.holders)
    regulars = {holder for holder, count in visits.items() if count >= GROUP_VISITS}
    came = {
        holder: {day.date for day in days if holder in day.figures.holders}
        for holder, count in visits.most_common(GROUP_REGULARS_MAX)
        if count >= GROUP_VISITS
    }
    together = _together(came)
    share = _share(sum(visits[holder] for holder in regulars), visits.total())
    if share >= GROUP_SHARE:
        group, score = regulars, _score(share, GROUP_SHARE, GROUP_CERTAIN)
    else:
        group, score = together, _score(len(together), TOGETHER, TOGETHER_CERTAIN)
    # Found again only on a day on which one of them came.
    if sum(visits[holder] for holder in group) < GROUP_COUNT or group.isdisjoint(view.today.figures.holders):
        return None
    return Finding(
        "closed_group",
        score,
        first,
        view.today.date,
        (
            Reason("share_of_regulars", share, GROUP_SHARE),
            Reason("holders_who_come_together", len(together), TOGETHER),
        ),
        _live(lambda trace: trace.holder in group),
    )


def _together(came: Mapping[int, set[date]]) -> set[int]:
    """Holders who come on the same days as several others do, and hardly on any other."""
    found: set[int] = set()
    for days in came.values():
        company = {
            other
            for other, theirs in came.items()
            if len(days & theirs) >= max(TOGETHER_DAYS, TOGETHER_OVERLAP * len(days | theirs))
        }
        if len(company) >= TOGETHER:
            found |= company
    return found


def _manual(view: View) -> Finding | None:
    today = view.today.figures
    threshold = max(MANUAL_SHARE, PEERS_TIMES * view.peers.manual_share)
    share = _share(today.manual, today.live)
    if today.manual < MANUAL_COUNT or share < threshold:
        return None
    score = _score(share, MANUAL_SHARE, MANUAL_CERTAIN)
    return _on_day(
        view, "manual", score, _live(lambda trace: trace.manual), Reason("share_manual", share, threshold)
    )


def _reversals(view: View) -> Finding | None:
    today = view.today.figures
    share = _share(today.reversed, today.live + today.reversed)
    many = today.reversed >= REVERSED_COUNT and share >= REVERSED_SHARE
    if not many and today.redone < REDONE_COUNT:
        return None
    score = max(
        _score(share, REVERSED_SHARE, REVERSED_CERTAIN), _score(today.redone, REDONE_COUNT, REDONE_CERTAIN)
    )
    return _on_day(
        view,
        "reversals",
        score,
        lambda traces: [*(trace for trace in traces if not trace.live), *_redone(traces)],
        Reason("share_reversed", share, REVERSED_SHARE),
        Reason("reversed_and_redeemed_again", today.redone, REDONE_COUNT),
    )


def _jump(view: View) -> Finding | None:
    today = view.today.figures
    past = [day.live for day in _active_past(view)]
    if len(past) < PAST_ENOUGH or today.live < JUMP_COUNT:
        return None
    usual = median(past)
    # 1.4826 makes the median of distances comparable to a standard deviation.
    scatter = 1.4826 * median(abs(live - usual) for live in past)
    threshold = max(JUMP_TIMES * usual, usual + JUMP_SCATTER * scatter)
    if today.live < threshold:
        return None
    return _on_day(
        view, "jump", JUMP_SCORE, _live(lambda _: True), Reason("day_over_its_past", today.live, threshold)
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


_SIGNALS = (_capacity, _burst, _hours, _amounts, _closed_group, _manual, _reversals, _jump)
