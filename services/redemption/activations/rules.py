"""Activation codes: their form and their life. Pure."""

from datetime import timedelta

from shared.ids import ALPHABET

# 60 random bits: nobody guesses one within its life, and it can still be read over the telephone.
ACTIVATION_SYMBOLS = 12
# An installer drives to the shop, finds the till broken, and comes back: a week.
ACTIVATION_LIFE = timedelta(days=7)

_GROUP = 4
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})


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
