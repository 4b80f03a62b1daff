"""What a signal sees and says: the view of a day, its thresholds, its score. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from services.redemption.riskdays.rules import NIGHT, Day, Figures, Origin, Peers, Trace

Signal = Literal[
    "capacity",
    "burst",
    "hours",
    "amounts",
    "closed_group",
    "shared_device",
    "shared_address",
    "manual",
    "reversals",
    "jump",
]
Suggestion = Literal["watch", "hold_settlement"]

# Shares that all peers show at once are the campaign's, not the institution's.
PEERS_TIMES = 2
# A case names a terminal when four fifths of its write-offs came from it.
TERMINAL_SHARE = 0.8

# Signals of who comes, over two weeks; the others are of a day.
WEEKLY = frozenset[Signal]({"closed_group", "shared_device", "shared_address"})
WINDOW_DAYS = 14

SCORE_AT_THRESHOLD, SCORE_MAX = 60, 100
# What exceeds only what is usual, not what was declared, may just be a good day.
SCORE_OF_USUAL = 50
HOLD_FROM = 60


@dataclass(frozen=True, slots=True)
class View:
    """What a day is judged by. `past` is oldest first and without the day itself."""

    today: Day
    past: Sequence[Day]
    peers: Peers
    hourly: int | None = None
    closed: frozenset[int] = NIGHT
    origins: Sequence[Origin] = ()


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
        """The day that names the window: who comes is looked at once a week, everything else daily."""
        return self.last - timedelta(days=self.last.weekday()) if self.kind in WEEKLY else self.last


def terminal_of(evidence: Sequence[Trace]) -> str | None:
    """The till that nearly all of it came from, if there is one."""
    ((terminal_id, count),) = Counter(trace.terminal_id for trace in evidence).most_common(1)
    return terminal_id if count >= TERMINAL_SHARE * len(evidence) else None


def score_of(value: float, threshold: float, certain: float) -> int:
    part = (value - threshold) / (certain - threshold)
    return SCORE_AT_THRESHOLD + round((SCORE_MAX - SCORE_AT_THRESHOLD) * min(1.0, max(0.0, part)))


def live(fits: Callable[[Trace], bool]) -> Selects:
    return lambda traces: [trace for trace in traces if trace.live and fits(trace)]


def on_day(view: View, kind: Signal, score: int, selects: Selects, *reasons: Reason) -> Finding:
    return Finding(kind, score, view.today.date, view.today.date, reasons, selects)


def active_past(view: View) -> list[Figures]:
    return [day.figures for day in view.past if day.figures.live]


def share_of(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
