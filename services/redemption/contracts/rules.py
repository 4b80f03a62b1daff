"""When a contract price may begin. Pure."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# Write-offs that are under way at the beginning know the price: it is written this long before.
LEAD = timedelta(minutes=10)


def begins_at(day: date, timezone: str) -> datetime:
    """Midnight of that day where the campaign is."""
    return datetime.combine(day, time.min, ZoneInfo(timezone))


def in_time(begins: datetime, now: datetime) -> bool:
    return begins - now >= LEAD
