"""Keys of terminals: which of them is good when. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

TerminalStatus = Literal["pending", "active", "paused", "revoked"]

# api.md: the answer of a check-in may be lost, so the key before stays good for so long.
KEY_OVERLAP = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class TerminalKeys:
    """The keys a terminal may sign with."""

    current: str
    previous: str | None = None
    previous_good_until: datetime | None = None

    def good(self, now: datetime) -> tuple[str, ...]:
        """The keys that are accepted at this moment, the current one first."""
        if self.previous is None or self.previous_good_until is None or self.previous_good_until <= now:
            return (self.current,)
        return (self.current, self.previous)
