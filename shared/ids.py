"""Identifiers. Rows of hot tables are addressed by (bucket, uuid); outside, both are one opaque text."""

import re
import secrets
from dataclasses import dataclass
from uuid import UUID

from typing_extensions import override
from uuid_utils.compat import uuid7

from shared.errors import NotFound

# Crockford's base32: no I, L, O, U, so that a code can be read over a counter.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}

# 10 bits: 1,024 buckets can be spread over many machines, and two base32 symbols carry one.
BUCKET_BITS = 10
BUCKETS = 1 << BUCKET_BITS
# Stricter than uuid.UUID, which also reads blanks, underscores and braces: one row has one spelling.
_HOT_ID = re.compile(f"[{ALPHABET}]{{2}}[0-9a-f]{{32}}")
_UUID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# A prime above the alphabet's size: every single wrong symbol and every swap of neighbours is noticed.
_CHECK_MODULUS = 37


def new_id() -> UUID:
    """A time-ordered id (UUIDv7): rows made together lie together in the index."""
    return uuid7()


def short_id(prefix: str) -> str:
    """An opaque, unguessable text id for rarely made things (12 random base32 symbols)."""
    return prefix + random_symbols(12).lower()


def bucket_symbols(bucket: int) -> str:
    return ALPHABET[bucket >> 5] + ALPHABET[bucket & 31]


def bucket_from_symbols(symbols: str) -> int:
    """Raises KeyError for symbols outside the alphabet."""
    return (_VALUE[symbols[0]] << 5) | _VALUE[symbols[1]]


def random_symbols(count: int) -> str:
    """`count` base32 symbols from the system's secure generator (5 bits each)."""
    # 256 is a multiple of 32, so each symbol is as likely as the others; one call of the system for all.
    return "".join(ALPHABET[byte & 31] for byte in secrets.token_bytes(count))


def check_symbol(body: str) -> str | None:
    """The symbol that ends a code which people read or type; None when the body has none (13.5 %)."""
    value = 0
    for symbol in body:
        value = value * len(ALPHABET) + _VALUE[symbol]
    check = value % _CHECK_MODULUS
    return ALPHABET[check] if check < len(ALPHABET) else None


@dataclass(frozen=True, slots=True, order=True)
class HotId:
    """The address of a row in a hot table; its text carries the bucket so that a look-up is one probe."""

    bucket: int
    uuid: UUID

    @override
    def __str__(self) -> str:
        return bucket_symbols(self.bucket) + self.uuid.hex


def parse_hot_id(text: str) -> HotId:
    """Raises NotFound for any text that never was an id of ours: strangers learn nothing."""
    if _HOT_ID.fullmatch(text) is None:
        raise NotFound
    return HotId(bucket=bucket_from_symbols(text[:2]), uuid=UUID(hex=text[2:]))


def parse_uuid(text: str) -> UUID:
    """Raises NotFound for any text that is no id of ours."""
    if _UUID.fullmatch(text) is None:
        raise NotFound
    return UUID(hex=text)
