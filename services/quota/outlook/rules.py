"""When a hospital reaches its quota, how sure that is, and who is likely to miss it. Pure.

The model: a hospital's cards of a day are independent, with one distribution on working days and one on
days off, both as in the last thirty complete days; how unsure those means are counts in. Cards until a day
are then nearly normal, with Student's correction for few days. It knows no trend and no campaign day to come:
it says what happens if things go on as they went.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import NormalDist

from services.quota.workdays.rules import Calendar

# As long as the pace of `forecast_date`, so that both speak of the same weeks.
HISTORY_DAYS = 30
# Below a week nothing is known of weekends, and hardly anything of the spread.
HISTORY_DAYS_MIN = 7
# Fewer days of a kind than these say nothing of their own: all days are taken together then.
_KIND_DAYS_MIN = 4
# Four of five: one in ten comes before the band, one in ten after it.
EARLY, LATE = 0.1, 0.9
_NORMAL = NormalDist()
# Beyond ten years a date is no forecast, whatever the arithmetic says.
AHEAD_DAYS_MAX = 3_660
# From here on a hospital is warned: it misses its quota more likely than not.
WARNED_FROM = Decimal("0.5")
_PROBABILITY = Decimal("0.0001")
_SHARE = Decimal("0.000001")
_PACE = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Days:
    """Cards on the days of one kind: how many days, their sum and the sum of their squares."""

    days: int = 0
    total: int = 0
    squares: int = 0

    def __add__(self, other: "Days") -> "Days":
        return Days(self.days + other.days, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float:
        return self.total / self.days if self.days else 0.0

    @property
    def variance(self) -> float:
        """Of a day; never less than that of a Poisson count, nor than half a card in all these days."""
        spread = (
            (self.squares - self.total * self.total / self.days) / (self.days - 1) if self.days > 1 else 0.0
        )
        return max(spread, abs(self.mean), 0.5 / self.days)


@dataclass(frozen=True, slots=True)
class History:
    """A hospital's last complete days, and what it counted on the day that is not over."""

    working: Days = Days()
    off: Days = Days()
    today: int = 0


@dataclass(frozen=True, slots=True)
class Outlook:
    """None where nothing can be said; see docs/progress.md."""

    needed_per_working_day: int | None = None
    pace_per_working_day: Decimal | None = None
    early: date | None = None
    late: date | None = None
    expected: int | None = None
    miss_probability: Decimal | None = None


class Ahead:
    """The days from today on, with how many of them are working days; counted as far as anybody asks."""

    def __init__(self, calendar: Calendar, today: date, ends_on: date | None) -> None:
        self.today = today
        self.ends_on = ends_on
        self._calendar = calendar
        self._working = [0]

    def working(self, days: int) -> int:
        """Working days among the first so many days, today being the first."""
        while len(self._working) <= days:
            day = self.today + timedelta(days=len(self._working) - 1)
            self._working.append(self._working[-1] + self._calendar.works(day))
        return self._working[days]

    @property
    def days_left(self) -> int | None:
        """Until the end, today and the last day counted; None without an end, or after it."""
        if self.ends_on is None or self.ends_on < self.today:
            return None
        return (self.ends_on - self.today).days + 1

    @property
    def working_left(self) -> int | None:
        return None if self.days_left is None else self.working(self.days_left)


def outlook(quota: int | None, issued: int, history: History, ahead: Ahead, *, dated: bool = True) -> Outlook:
    """`issued` holds what was counted today; the rest of today is still to come.

    Looking for the dates is most of the work: without `dated` they are left out.
    """
    if quota is None:
        return Outlook()
    needed = needed_per_working_day(quota, issued, ahead.working_left)
    pace = _pace(history.working)
    if issued >= quota:
        reached = None if ahead.days_left is None else Decimal(0)
        return Outlook(needed, pace, miss_probability=reached)
    if history.working.days + history.off.days < HISTORY_DAYS_MIN:
        return Outlook(needed, pace)
    course = _Course(history, ahead)
    missing = quota - issued + history.today
    expected = miss = None
    if ahead.days_left is not None:
        expected = max(issued, issued - history.today + round(course.mean(ahead.days_left)))
        miss = _probability(1 - course.chance(missing, ahead.days_left))
    early = course.day(missing, EARLY) if dated else None
    late = course.day(missing, LATE) if dated else None
    return Outlook(needed, pace, early, late, expected, miss)


def needed_per_working_day(quota: int, issued: int, working_left: int | None) -> int | None:
    """Cards on each working day left, today's included, to reach the quota; None when there is none left."""
    return -(-max(0, quota - issued) // working_left) if working_left else None


class _Course:
    """How many cards come from today on, by the days gone by."""

    def __init__(self, history: History, ahead: Ahead) -> None:
        self._ahead = ahead
        together = history.working + history.off
        apart = min(history.working.days, history.off.days) >= _KIND_DAYS_MIN
        self._working, self._off = (history.working, history.off) if apart else (together, together)
        self._apart = apart
        self._freedom = together.days - (2 if apart else 1)

    def mean(self, days: int) -> float:
        working = self._ahead.working(days)
        return self._working.mean * working + self._off.mean * (days - working)

    def chance(self, cards: int, days: int) -> float:
        """That so many cards come within so many days."""
        distance = (cards - 0.5 - self.mean(days)) / math.sqrt(self._variance(days))
        # Student's distribution by the normal one: the spread is itself read from few days.
        correction = (1 - 1 / (4 * self._freedom)) / math.sqrt(1 + distance**2 / (2 * self._freedom))
        return 1 - _NORMAL.cdf(distance * correction)

    def day(self, cards: int, chance: float) -> date | None:
        """The first day by which so many cards come with that chance; None beyond ten years."""
        found = bisect_left(range(1, AHEAD_DAYS_MAX + 1), chance, key=lambda days: self.chance(cards, days))
        return self._ahead.today + timedelta(days=found) if found < AHEAD_DAYS_MAX else None

    def _variance(self, days: int) -> float:
        """Of the days themselves, and of the means that are taken for them."""
        working = self._ahead.working(days)
        kinds = ((self._working, working), (self._off, days - working))
        if not self._apart:
            kinds = ((self._working, days), (self._off, 0))
        return sum(kind.variance * (n + n * n / kind.days) for kind, n in kinds)


def _pace(working: Days) -> Decimal | None:
    if not working.days:
        return None
    return (Decimal(working.total) / working.days).quantize(_PACE, rounding=ROUND_HALF_UP)


def _probability(value: float) -> Decimal:
    return Decimal(str(min(1.0, max(0.0, value)))).quantize(_PROBABILITY, rounding=ROUND_HALF_UP)


def widened(early: date | None, late: date | None, forecast: date | None) -> tuple[date | None, date | None]:
    """The band with the forecast by calendar days in it, so that the three dates never contradict."""
    if forecast is None or early is None:
        return early, late
    return min(early, forecast), None if late is None else max(late, forecast)


def share_passed(first: date, last: date | None, today: date) -> Decimal | None:
    """The share of the days from `first` to `last` that are over; None without a last day."""
    if last is None or last < first:
        return None
    return _share((today - first).days, (last - first).days + 1)


def working_share_passed(calendar: Calendar, first: date, last: date | None, today: date) -> Decimal | None:
    """The same in working days; None also when there is none."""
    if last is None or last < first:
        return None
    over = calendar.count(first, min(last, today - timedelta(days=1)))
    total = calendar.count(first, last)
    return _share(over, total) if total else None


def _share(part: int, whole: int) -> Decimal:
    share = min(Decimal(1), max(Decimal(0), Decimal(part) / whole))
    return share.quantize(_SHARE, rounding=ROUND_HALF_UP)


def warned(outlooks: Mapping[str, Outlook], shortfall: Mapping[str, int]) -> list[str]:
    """Who is likely to miss the quota: the surest first, then who is expected to lack most."""
    found = [
        (key, seen.miss_probability)
        for key, seen in outlooks.items()
        if seen.miss_probability is not None and seen.miss_probability >= WARNED_FROM
    ]
    return [key for key, chance in sorted(found, key=lambda entry: (-entry[1], -shortfall[entry[0]]))]
