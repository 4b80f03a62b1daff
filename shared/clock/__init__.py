"""The only source of now. Everything that expires goes by the platform's clock."""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

# RFC 3339 times leave the platform in the zone that its users live in (no daylight saving since 1991).
CHINA = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    def now(self) -> datetime:
        """Now, aware, in UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class OffsetClock:
    """The machine's clock moved by an offset that another process may change (demo mode)."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset


class ManualClock:
    """Stands still until told to move; for tests and simulations."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, **delta: float) -> datetime:
        self._now += timedelta(**delta)
        return self._now

    def set(self, moment: datetime) -> None:
        self._now = moment.astimezone(UTC)


def machine_seconds() -> float:
    """Monotonic seconds, for measuring and for deadlines inside one process."""
    return time.monotonic()


def machine_now() -> datetime:
    """The machine's own wall clock: for leases and retries between processes, never for rules."""
    return datetime.now(UTC)


def local_day(moment: datetime, timezone: str) -> date:
    """The calendar day in a campaign's time zone."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def rfc3339(moment: datetime) -> str:
    """The wire form: +08:00, milliseconds left out when zero."""
    local = moment.astimezone(CHINA)
    return local.isoformat(timespec="milliseconds" if local.microsecond else "seconds")
