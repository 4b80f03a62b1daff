"""One-time codes by the clock (RFC 6238) and recovery codes. Pure."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6
# As long as the hash: RFC 4226 asks for no less than 128 bits and recommends 160.
SECRET_BYTES = 20
RECOVERY_CODES = 10
# 80 bits: not to be guessed, lock or no lock.
RECOVERY_CODE_BYTES = 10
_RECOVERY_GROUP = 4
_RECOVERY_LENGTH = 16
CODE_LENGTH_MAX = 32
_ISSUER = "全民健康服务平台"
# A code that was typed at the end of its step arrives in the next one; older and coming ones are refused.
_STEPS_LATE = 1


@dataclass(frozen=True, slots=True)
class Factor:
    """`last_step` is the newest step whose code was accepted."""

    secret: bytes
    confirmed_at: datetime | None
    last_step: int | None


def step_of(now: datetime) -> int:
    return int(now.timestamp()) // STEP_SECONDS


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """HOTP (RFC 4226) of the step's number."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_accepted(factor: Factor, code: str, now: datetime) -> int | None:
    """The step whose code this is, None for a wrong, late or spent one."""
    newest = step_of(now)
    for step in range(newest, newest - _STEPS_LATE - 1, -1):
        fits = hmac.compare_digest(code_at(factor.secret, step).encode(), code.encode())
        if fits and (factor.last_step is None or step > factor.last_step):
            return step
    return None


def typed(code: str) -> str:
    """Without the spaces and strokes that people type, or see, between groups."""
    return code.replace(" ", "").replace("-", "").replace("\u3000", "").upper()


def is_recovery_code(code: str) -> bool:
    return len(code) == _RECOVERY_LENGTH


def recovery_code(random: bytes) -> str:
    """In groups, of letters and digits that are not mistaken for one another (RFC 4648 base32)."""
    text = base64.b32encode(random).decode()
    return "-".join(
        text[start : start + _RECOVERY_GROUP] for start in range(0, _RECOVERY_LENGTH, _RECOVERY_GROUP)
    )


def shown_secret(secret: bytes) -> str:
    """As authenticator apps take it when no camera is at hand."""
    return base64.b32encode(secret).decode()


def enrolment_address(username: str, secret: bytes) -> str:
    """What an authenticator app reads from the QR code."""
    label = quote(f"{_ISSUER}:{username}", safe="")
    query = urlencode({"secret": shown_secret(secret), "issuer": _ISSUER}, quote_via=quote)
    return f"otpauth://totp/{label}?{query}"
