"""What is left of a day. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

QUIZ = "quiz"


@dataclass(frozen=True, slots=True)
class Counted:
    """A count that belongs to a day; of another day it is over. Days never go back."""

    day: date | None
    n: int

    def on(self, today: date) -> int:
        return self.n if self.day is not None and self.day >= today else 0


def left(limit: int | None, done: int) -> int | None:
    """How often more; None without a limit."""
    return None if limit is None else max(0, limit - done)


def next_day(now: datetime, timezone: str) -> datetime:
    """The next midnight of the campaign."""
    zone = ZoneInfo(timezone)
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), tzinfo=zone)
