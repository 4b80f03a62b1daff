"""Days of use as spans of time. Pure."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo


def day_start(day: date, timezone: str) -> datetime:
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(timezone))
