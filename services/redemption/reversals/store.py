"""SQL of the reversal; the set-based function stands in functions.sql."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from shared.clock import machine_now
from shared.db import Database, Tx
from shared.idempotency import Caller
from shared.ids import HotId, new_id
from shared.signing import NONCE_LIFE

_REVERSE = """
    SELECT * FROM redemption.reverse_batch(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""
_STANDING = text("""
    SELECT r.request_no, r.institution_id, r.voucher_type, r.applied_fen, r.state,
           r.settlement_id, c.redemption_id IS NOT NULL AS corrected, t.reversal
    FROM redemption.redemption r
    JOIN core.voucher_type t ON t.campaign_id = r.campaign_id AND t.key = r.voucher_type
    LEFT JOIN redemption.correction c ON c.bucket = r.bucket AND c.redemption_id = r.id
    WHERE r.bucket = :bucket AND r.id = :id
""")
_UNDO = text("""
    SELECT ord FROM redemption.undo(
        ARRAY[1], ARRAY[CAST(:bucket AS smallint)], ARRAY[CAST(:id AS uuid)], ARRAY[CAST(:reversal AS uuid)],
        ARRAY[CAST(NULL AS text)], ARRAY[CAST(:request_no AS text)], ARRAY[CAST(NULL AS text)],
        ARRAY[CAST(:reason AS text)], ARRAY[CAST(:actor AS text)], ARRAY[CAST(NULL AS text)],
        'staff', :now, :machine_now)
""")


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


@dataclass(frozen=True, slots=True)
class Standing:
    """A write-off as it is now; `reversal` says who may undo one of its type.

    `settlement_id` is the one that it is part of, `corrected` whether it was taken back after that.
    """

    request_no: str
    institution_id: str
    voucher_type: str
    applied_fen: int
    state: str
    settlement_id: UUID | None
    corrected: bool
    reversal: str


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


async def standing(tx: Tx, address: HotId) -> Standing | None:
    """The write-off as it is now. Locks nothing."""
    row = (await tx.execute(_STANDING, {"bucket": address.bucket, "id": address.uuid})).one_or_none()
    return None if row is None else Standing(*row)


async def undo(tx: Tx, address: HotId, *, reason: str, change_id: UUID, now: datetime) -> bool:
    """Undoes it for staff; the change's id is the reversal's number. False: settled, undone, or never to be.

    Locks the voucher, then the write-off.
    """
    values = {
        "bucket": address.bucket,
        "id": address.uuid,
        "reversal": new_id(),
        "request_no": change_id.hex,
        "reason": reason,
        "actor": f"change:{change_id}",
        "now": now,
        "machine_now": machine_now(),
    }
    return (await tx.execute(_UNDO, values)).one_or_none() is not None
