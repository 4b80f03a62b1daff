"""Activation codes and keys of terminals: their form, and which key is good when. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.ids import ALPHABET

TerminalStatus = Literal["pending", "active", "paused", "revoked"]

# 60 random bits: nobody guesses one within its life, and it can still be read over the telephone.
ACTIVATION_SYMBOLS = 12
# An installer drives to the shop, finds the till broken, and comes back: a week.
ACTIVATION_LIFE = timedelta(days=7)
# api.md: the answer of a check-in may be lost, so the key before stays good for so long.
KEY_OVERLAP = timedelta(minutes=10)

_GROUP = 4
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})


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


def shown_activation_code(symbols: str) -> str:
    """As staff read it out: groups of four."""
    return "-".join(symbols[start : start + _GROUP] for start in range(0, len(symbols), _GROUP))


def read_activation_code(text: str) -> str | None:
    """The symbols of a code that was typed; None for what cannot be one."""
    if len(text) > 2 * ACTIVATION_SYMBOLS or not text.isascii():
        return None
    symbols = text.upper().translate(_LOOKALIKES)
    if len(symbols) != ACTIVATION_SYMBOLS or any(symbol not in ALPHABET for symbol in symbols):
        return None
    return symbols
