"""Whether draws keep the announced odds, and where people are lost on the way to a voucher. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.binomial import two_sided_p
from shared.money import PPM

# Of a thousand honest campaigns one raises an alarm at one look, however many days and ways are compared
# (Holm). So small because a campaign is looked at on every one of its days.
FALSE_ALARMS = 0.001


@dataclass(frozen=True, slots=True)
class DrawnCell:
    """Draws of one day, of chances earned in one way: how many at which odds (ppm), and how many won."""

    day: date
    channel: str
    tries_at: Mapping[int, int]
    wins: int


@dataclass(frozen=True, slots=True)
class Phase:
    """Open from `opens_at` on, and before `closes_at`."""

    id: UUID
    seq: int
    opens_at: datetime
    closes_at: datetime

    def days(self, timezone: str) -> range:
        """The days on which it is open, as ordinals."""
        zone = ZoneInfo(timezone)
        last = (self.closes_at - timedelta(microseconds=1)).astimezone(zone).date()
        return range(self.opens_at.astimezone(zone).date().toordinal(), last.toordinal() + 1)


@dataclass(frozen=True, slots=True)
class PhaseDays:
    """Days that are a phase's own, so that a campaign's figures of them are the phase's, and shared ones."""

    own: frozenset[date]
    shared: tuple[date, ...]


def days_of(phase: Phase, others: Iterable[Phase], timezone: str) -> PhaseDays:
    days = set(phase.days(timezone))
    shared = {day for other in others if other.id != phase.id for day in other.days(timezone) if day in days}
    return PhaseDays(
        frozenset(map(date.fromordinal, days - shared)), tuple(map(date.fromordinal, sorted(shared)))
    )


def bounds_of(day: date, timezone: str) -> tuple[datetime, datetime]:
    """A day's first moment, and the next day's."""
    zone = ZoneInfo(timezone)
    return (
        datetime.combine(day, time(), tzinfo=zone),
        datetime.combine(day + timedelta(days=1), time(), tzinfo=zone),
    )


@dataclass(frozen=True, slots=True)
class Drift:
    """Announced and observed odds of some draws. `p` is exact: how probable is a result this unlikely?"""

    draws: int
    wins: int
    expected_wins: float
    p: float

    @property
    def announced(self) -> float | None:
        return self.expected_wins / self.draws if self.draws else None

    @property
    def observed(self) -> float | None:
        return self.wins / self.draws if self.draws else None


@dataclass(frozen=True, slots=True)
class Drifts:
    """Of all draws, of each day, of each way to earn a chance, and of each way on each day.

    What is at most as probable as `alarm_p` is an alarm: the level falls with the number of comparisons.
    """

    total: Drift
    by_day: dict[date, Drift]
    by_channel: dict[str, Drift]
    by_day_and_channel: dict[tuple[date, str], Drift]
    alarm_p: float

    def alarms(self, drift: Drift) -> bool:
        return drift.p <= self.alarm_p

    @property
    def alarming(self) -> bool:
        apart = (*self.by_day.values(), *self.by_channel.values(), *self.by_day_and_channel.values())
        return any(map(self.alarms, (self.total, *apart)))


@dataclass(slots=True)
class _Sum:
    tries_at: Counter[int] = field(default_factory=Counter)
    wins: int = 0

    def add(self, cell: DrawnCell) -> None:
        self.tries_at.update(cell.tries_at)
        self.wins += cell.wins

    def drift(self) -> Drift:
        expected_ppm = sum(odds_ppm * draws for odds_ppm, draws in self.tries_at.items())
        return Drift(
            draws=self.tries_at.total(),
            wins=self.wins,
            expected_wins=expected_ppm / PPM,
            p=_p(self.wins, tuple(sorted(self.tries_at.items()))),
        )


@lru_cache(maxsize=4096)
def _p(wins: int, tries_at: tuple[tuple[int, int], ...]) -> float:
    """Remembered: a monitor asks every few seconds, and of all days only today's has changed."""
    return two_sided_p(wins, dict(tries_at))


def drifts(cells: Iterable[DrawnCell]) -> Drifts:
    total = _Sum()
    days: dict[date, _Sum] = {}
    channels: dict[str, _Sum] = {}
    both: dict[tuple[date, str], _Sum] = {}
    for cell in cells:
        for part in (
            total,
            days.setdefault(cell.day, _Sum()),
            channels.setdefault(cell.channel, _Sum()),
            both.setdefault((cell.day, cell.channel), _Sum()),
        ):
            part.add(cell)
    of_all = total.drift()
    by_day = {day: part.drift() for day, part in sorted(days.items())}
    by_channel = {channel: part.drift() for channel, part in sorted(channels.items())}
    by_both = {key: part.drift() for key, part in sorted(both.items())}
    compared = (of_all, *by_day.values(), *by_channel.values(), *by_both.values())
    level = holm_level([drift.p for drift in compared])
    return Drifts(of_all, by_day, by_channel, by_both, level)


def holm_level(ps: Iterable[float]) -> float:
    """What a p must not exceed to count, so that all of them together are wrong in FALSE_ALARMS of cases.

    Holm's procedure: the smallest p is held against the level divided by their number, the next one by one
    less, and so on up to the first that does not count. It needs no independence.
    """
    ordered = sorted(ps)
    level = FALSE_ALARMS / max(len(ordered), 1)
    for place, p in enumerate(ordered):
        if p > FALSE_ALARMS / (len(ordered) - place):
            break
        level = max(level, p)
    return level


# The way to a voucher, as steps that follow each other.
QUIZ_STEPS = ("started", "answered", "passed")
OTHER_STEPS = ("submitted", "accepted")
# What every way has in common, in its order.
COMMON_STEPS = ("chances", "draws", "wins", "claimed", "redeemed")
PERSON_STEPS = ("signed_in", "verified", "took_part", "drew", "won", "claimed", "redeemed")


@dataclass(frozen=True, slots=True)
class Step:
    """A step on the way, how many came so far, which share of the step before that is, and who was lost."""

    name: str
    count: int
    kept: float | None
    lost: int | None


def funnel(counts: Iterable[tuple[str, int]]) -> list[Step]:
    """The steps in their order. A share above 1 is no error: one pass may earn several chances."""
    steps: list[Step] = []
    before: int | None = None
    for name, count in counts:
        kept = count / before if before else None
        lost = None if before is None else max(before - count, 0)
        steps.append(Step(name, count, kept, lost))
        before = count
    return steps


@dataclass(slots=True)
class Counted:
    """How many came to each step, by way."""

    by_step: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, step: str, channel: str, n: int) -> None:
        self.by_step[step][channel] += n

    def together(self) -> list[Step]:
        """All ways, from the chance on."""
        return funnel((step, self.by_step[step].total()) for step in COMMON_STEPS)

    def of(self, channel: str) -> list[Step]:
        own = QUIZ_STEPS if channel == "quiz" else OTHER_STEPS
        return funnel((step, self.by_step[step][channel]) for step in (*own, *COMMON_STEPS))
