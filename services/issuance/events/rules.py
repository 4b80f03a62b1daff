"""Check-in codes, fixed and rotating, and when an event is open. Pure.

A code is 10 Crockford symbols (50 bits). Where it rotates, 6 more follow: a keyed hash of the event and of
the time step, so that a code which was photographed and passed on is worthless a moment later.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from shared.crypto import KeyedHash
from shared.ids import ALPHABET

CODE_SYMBOLS = 10
TAG_SYMBOLS = 6
_TAG_DOMAIN = "check-in-tag"
_BITS_PER_SYMBOL = 5

# A phone needs a moment between seeing a code and sending it: the step before is good too (RFC 6238).
_STEPS_ACCEPTED = 2

# What a poster's link carries the code in.
LINK_PARAMETER = "check_in_code"

# Typing help of Crockford's alphabet: letters that are not in it stand for the digits they look like.
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})
_CODE = re.compile(f"([{ALPHABET}]{{{CODE_SYMBOLS}}})([{ALPHABET}]{{{TAG_SYMBOLS}}})?")

State = Literal["upcoming", "open", "closed"]


@dataclass(frozen=True, slots=True)
class Presented:
    """What a citizen typed or scanned: the event's code and, where it rotates, the part of the moment."""

    code: str
    tag: str | None


def presented(text: str) -> Presented | None:
    """Reads a code, or the poster's link with the code in it; None for anything that cannot be one."""
    if "?" in text:
        text = _in_link(text)
    found = _CODE.fullmatch(text.upper().translate(_LOOKALIKES)) if text.isascii() else None
    return None if found is None else Presented(found[1], found[2])


def _in_link(text: str) -> str:
    try:
        return parse_qs(urlsplit(text).query).get(LINK_PARAMETER, [""])[0]
    except ValueError:
        return ""


def tag(keys: KeyedHash, event_id: UUID, step: int) -> str:
    """The rotating part of the code in that time step."""
    value = int.from_bytes(keys.digest(_TAG_DOMAIN, f"{event_id}/{step}")[:8], "big")
    return "".join(
        ALPHABET[value >> place * _BITS_PER_SYMBOL & (len(ALPHABET) - 1)] for place in range(TAG_SYMBOLS)
    )


def step_of(moment: datetime, rotate_seconds: int) -> int:
    return int(moment.timestamp()) // rotate_seconds


def step_ends(moment: datetime, rotate_seconds: int) -> datetime:
    """When the code that is shown at that moment gives way to the next one."""
    step = step_of(moment, rotate_seconds) + 1
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=step * rotate_seconds)


def is_current(
    keys: KeyedHash, event_id: UUID, given: str | None, *, rotate_seconds: int, now: datetime
) -> bool:
    """Whether the rotating part is that of now, or of the step before."""
    latest = step_of(now, rotate_seconds)
    accepted = [tag(keys, event_id, latest - back) for back in range(_STEPS_ACCEPTED)]
    return any(hmac.compare_digest(given or "", expected) for expected in accepted)


def event_state(
    starts_at: datetime, ends_at: datetime, *, closed_at: datetime | None, now: datetime
) -> State:
    """Events open and close by the platform's clock; staff may close one early."""
    if closed_at is not None or now >= ends_at:
        return "closed"
    return "open" if now >= starts_at else "upcoming"
