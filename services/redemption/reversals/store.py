"""SQL of the reversal; the set-based function stands in functions.sql."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.clock import machine_now
from shared.db import Database
from shared.idempotency import Caller
from shared.ids import new_id
from shared.signing import NONCE_LIFE

_REVERSE = """
    SELECT * FROM redemption.reverse_batch(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""


@dataclass(frozen=True, slots=True)
class Undo:
    """A write-off that a till wants undone, by the number of its request."""

    key_id: str
    nonce: str
    again: bool
    caller: Caller
    institution_id: str
    request_no: str
    fingerprint: bytes
    original: str
    original_terminal: str | None
    reason: str
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Undone:
    """`word`: created, replayed, or why not; `result` is reversed or blocked for the first two.

    `bucket` is the redemption's when there is one.
    """

    word: str
    result: str | None
    bucket: int | None
    id: UUID | None
    redemption_id: UUID | None
    at: datetime | None


async def reverse(database: Database, items: Sequence[Undo], now: datetime) -> list[Undone]:
    """One outcome per item, in order, durable. Locks: nonces, requests, vouchers, redemptions."""
    rows = await database.call(
        _REVERSE,
        [item.key_id for item in items],
        [item.nonce for item in items],
        [item.again for item in items],
        now + NONCE_LIFE,
        [item.caller.bucket for item in items],
        [item.caller.id for item in items],
        [item.institution_id for item in items],
        [item.request_no for item in items],
        [item.fingerprint for item in items],
        [item.original for item in items],
        [item.original_terminal for item in items],
        [item.reason for item in items],
        [new_id() for _ in items],
        now,
        machine_now(),
        [item.operator for item in items],
    )
    return [Undone(*row[1:]) for row in sorted(rows, key=lambda row: int(row[0]))]
