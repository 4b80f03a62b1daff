"""Voucher codes and the rotating token behind the QR. Pure: randomness and time come in.

A code is 16 Crockford base32 symbols: 2 for the bucket, 13 random (65 bits), 1 check symbol, shown in
groups of four. The check symbol only catches typing errors; what protects a code is its randomness and
that only its keyed hash is stored.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.crypto import KeyedHash
from shared.ids import ALPHABET, bucket_from_symbols, bucket_symbols, check_symbol, random_symbols

CODE_LENGTH = 16
_RANDOM_SYMBOLS = 13
_HASH_BYTES = 16
_CODE_DOMAIN = "voucher-code"

# Typing help of Crockford's alphabet: letters that are not in it stand for the digits they look like.
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})
_CODE = re.compile(f"[{ALPHABET}]{{{CODE_LENGTH}}}")

# A token is good for the step it was made in and the one after: 30 to 60 s after it was shown.
TOKEN_STEP = timedelta(seconds=30)
_TOKEN_PREFIX = "HV"  # noqa: S105 - no secret: keeps shared cashier scanners from taking it for a payment code
_TOKEN = re.compile(r"HV([0-9A-Z]{2})([A-Z2-7]{26})([0-9A-F]{8})([A-Z2-7]{16})")
_MAC_BYTES = 10


@dataclass(frozen=True, slots=True)
class Presented:
    """What a holder showed, resolved to the address of a voucher; `expired` only for tokens."""

    bucket: int
    code_hash: bytes
    expired: bool = False


def make_code(bucket: int) -> str:
    """A new code. Bodies whose check value has no symbol in the alphabet are drawn again (13.5 %)."""
    while True:
        body = bucket_symbols(bucket) + random_symbols(_RANDOM_SYMBOLS)
        check = check_symbol(body)
        if check is not None:
            return body + check


def normalise(text: str) -> str | None:
    """The code that was typed or scanned, or None for anything that cannot be one."""
    # Anything longer than a code with its separators is not looked at: no work for hostile input.
    if len(text) > 2 * CODE_LENGTH or not text.isascii():
        return None
    code = text.upper().translate(_LOOKALIKES)
    if _CODE.fullmatch(code) is None:
        return None
    return code if check_symbol(code[:-1]) == code[-1] else None


def grouped(code: str) -> str:
    return "-".join(code[start : start + 4] for start in range(0, CODE_LENGTH, 4))


def code_hash(key: KeyedHash, code: str) -> bytes:
    return key.digest(_CODE_DOMAIN, code)[:_HASH_BYTES]


def code_context(voucher_id: UUID) -> str:
    """What ties a sealed code to its voucher."""
    return f"voucher/{voucher_id}"


def _step(moment: datetime) -> int:
    return int(moment.timestamp()) // int(TOKEN_STEP.total_seconds())


def _mac(key: bytes, message: str) -> str:
    digest = hmac.digest(key, f"voucher-token\n{message}".encode(), hashlib.sha256)
    return base64.b32encode(digest[:_MAC_BYTES]).decode()


def make_token(key: bytes, *, bucket: int, hashed: bytes, now: datetime) -> tuple[str, datetime]:
    """The text behind the QR and when it stops being good (UTC)."""
    step = _step(now)
    body = f"{bucket_symbols(bucket)}{base64.b32encode(hashed).decode().rstrip('=')}{step:08X}"
    until = datetime.fromtimestamp((step + 2) * TOKEN_STEP.total_seconds(), tz=UTC)
    return f"{_TOKEN_PREFIX}{body}{_mac(key, body)}", until


def resolve(text: str, *, index: KeyedHash, token_key: bytes, now: datetime) -> Presented | None:
    """A code or token as the address of a voucher; None when it never was one of ours."""
    token = _TOKEN.fullmatch(text)
    if token is None:
        code = normalise(text)
        if code is None:
            return None
        return Presented(bucket=bucket_from_symbols(code[:2]), code_hash=code_hash(index, code))
    symbols, hashed, step, mac = token.groups()
    if not hmac.compare_digest(_mac(token_key, symbols + hashed + step), mac):
        return None
    return Presented(
        bucket=bucket_from_symbols(symbols),
        code_hash=base64.b32decode(hashed + "======"),
        expired=not 0 <= _step(now) - int(step, 16) <= 1,
    )
