"""What of a phase's stock was let go by a moment, and how long the rest lasts at the present pace. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from services.issuance.phases.rules import Release

# A week evens out its own days.
PACE_WINDOW = timedelta(days=7)
# In the first hour after an opening the pace says nothing about the days to come.
_PACE_LEAST = timedelta(hours=1)
_DAY_SECONDS = 86_400
_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Shelf:
    """The pieces of a type in a phase; `release` None: all of them can be claimed from the opening on."""

    opens_at: datetime
    closes_at: datetime
    put_in: int
    remaining: int
    release: Release | None

    def released(self, at: datetime) -> int:
        if at < self.opens_at:
            return 0
        released = None if self.release is None else self.release.released(at)
        return self.put_in if released is None else min(self.put_in, released)

    def next_release(self, at: datetime) -> tuple[datetime, int] | None:
        """When the next pieces are let go and how many; None when none are to come."""
        left = self.put_in - self.released(at)
        if left <= 0 or at >= self.closes_at:
            return None
        amount = left if self.release is None else min(left, self.release.amount)
        if at < self.opens_at or self.release is None:
            return self.opens_at, amount
        step = timedelta(seconds=self.release.step_seconds)
        following = self.opens_at + step * ((at - self.opens_at) // step + 1)
        return (following, amount) if following < self.closes_at else (self.closes_at, left)

    def counted_since(self, at: datetime) -> datetime:
        """From when on claims make the pace."""
        return max(self.opens_at, at - PACE_WINDOW)


@dataclass(frozen=True, slots=True)
class Pace:
    """Pieces a day, and the days until nothing remains; both to a tenth."""

    per_day: Decimal
    days_left: Decimal | None
    used_up_at: datetime | None


def pace_of(shelf: Shelf, claimed: int, at: datetime) -> Pace | None:
    """At the pace of `claimed` pieces since `counted_since`; None out of the phase's time, or too early."""
    elapsed = at - shelf.counted_since(at)
    if not shelf.opens_at <= at < shelf.closes_at or elapsed < _PACE_LEAST:
        return None
    per_day = Decimal(claimed) * _DAY_SECONDS / Decimal(int(elapsed.total_seconds()))
    if claimed == 0:
        return Pace(_tenth(per_day), None, None)
    days = Decimal(shelf.remaining) / per_day
    return Pace(_tenth(per_day), _tenth(days), _moment(at, days))


def _moment(at: datetime, days: Decimal) -> datetime | None:
    """None beyond what a calendar holds."""
    try:
        return at + timedelta(seconds=int(days * _DAY_SECONDS))
    except OverflowError:
        return None


def _tenth(value: Decimal) -> Decimal:
    return value.quantize(_TENTH, rounding=ROUND_HALF_UP)
