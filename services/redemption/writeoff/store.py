"""SQL of the write-off; the set-based functions stand in functions.sql."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.clock import machine_now
from shared.db import Database, Tx
from shared.idempotency import Caller
from shared.ids import new_id
from shared.signing import NONCE_LIFE

_VERIFY = "SELECT * FROM redemption.verify_batch($1, $2, $3, $4, $5, $6, $7, $8, $9)"
_REDEEM = """
    SELECT * FROM redemption.redeem_batch(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
"""
# The same call inside a transaction of its caller, who has used its nonce up.
_REDEEM_WITHIN = text("""
    SELECT * FROM redemption.redeem_batch(
        CAST(:key_ids AS text[]), NULL, NULL, NULL, CAST(:caller_buckets AS smallint[]),
        CAST(:callers AS uuid[]), CAST(:request_nos AS text[]), CAST(:fingerprints AS bytea[]),
        CAST(:buckets AS smallint[]), CAST(:code_hashes AS bytea[]), CAST(:token_expired AS boolean[]),
        CAST(:bills AS bigint[]), CAST(:used_at AS timestamptz[]), CAST(:words AS text[]),
        CAST(:redemptions AS uuid[]), :source, :now, :machine_now, CAST(:operators AS text[]))
""")
_COUNT_REPLAY = text("""
    UPDATE core.request SET replays = replays + 1
    WHERE bucket = :bucket AND caller_id = :caller_id AND operation = 'redemption'
      AND request_no = :request_no
    RETURNING result_bucket, result_id, blocked
""")
_REDEMPTION = text("""
    SELECT bucket, id, voucher_type, applied_fen, payable_fen, redeemed_at, state, operator
    FROM redemption.redemption WHERE bucket = :bucket AND id = :id
""")


@dataclass(frozen=True, slots=True)
class Look:
    """A voucher that a till looks at. `bucket` and `code_hash` are None for what cannot be one."""

    key_id: str
    nonce: str
    again: bool
    bucket: int | None
    code_hash: bytes | None
    token_expired: bool
    bill_fen: int | None


@dataclass(frozen=True, slots=True)
class WriteOff:
    """A voucher that a till writes off; `word` is a refusal that is known beforehand."""

    key_id: str
    nonce: str
    again: bool
    caller: Caller
    request_no: str
    fingerprint: bytes
    bucket: int | None
    code_hash: bytes | None
    token_expired: bool
    bill_fen: int | None
    used_at: datetime | None
    word: str | None
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    word: str | None
    voucher_type: str | None
    kind: str | None
    amount_fen: int | None
    valid_until: datetime | None
    holder_masked: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`word`: created, replayed, or why not; the rest is set for the first two."""

    word: str
    bucket: int | None
    id: UUID | None
    voucher_type: str | None
    applied_fen: int | None
    payable_fen: int | None
    redeemed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Found:
    bucket: int
    id: UUID
    voucher_type: str
    applied_fen: int
    payable_fen: int
    redeemed_at: datetime
    state: str
    operator: str | None


async def verify(database: Database, looks: Sequence[Look], now: datetime) -> list[Judged]:
    """One judgement per look, in order. Writes the nonces and nothing else."""
    rows = await database.call(
        _VERIFY,
        [look.key_id for look in looks],
        [look.nonce for look in looks],
        [look.again for look in looks],
        now + NONCE_LIFE,
        [look.bucket for look in looks],
        [look.code_hash for look in looks],
        [look.token_expired for look in looks],
        [look.bill_fen for look in looks],
        now,
    )
    return [Judged(*row[1:]) for row in sorted(rows, key=_place)]


async def redeem(database: Database, items: Sequence[WriteOff], now: datetime) -> list[Outcome]:
    """One outcome per item, in order, durable. Locks: nonces, requests, vouchers, redemptions."""
    rows = await database.call(
        _REDEEM,
        [item.key_id for item in items],
        [item.nonce for item in items],
        [item.again for item in items],
        now + NONCE_LIFE,
        [item.caller.bucket for item in items],
        [item.caller.id for item in items],
        [item.request_no for item in items],
        [item.fingerprint for item in items],
        [item.bucket for item in items],
        [item.code_hash for item in items],
        [item.token_expired for item in items],
        [item.bill_fen for item in items],
        [item.used_at for item in items],
        [item.word for item in items],
        [new_id() for _ in items],
        "online",
        now,
        machine_now(),
        [item.operator for item in items],
    )
    return [Outcome(*row[1:]) for row in sorted(rows, key=_place)]


async def redeem_within(tx: Tx, items: Sequence[WriteOff], *, source: str, now: datetime) -> list[Outcome]:
    """As `redeem`, in the caller's transaction and without nonces."""
    values: dict[str, Any] = {
        "key_ids": [item.key_id for item in items],
        "caller_buckets": [item.caller.bucket for item in items],
        "callers": [item.caller.id for item in items],
        "request_nos": [item.request_no for item in items],
        "fingerprints": [item.fingerprint for item in items],
        "buckets": [item.bucket for item in items],
        "code_hashes": [item.code_hash for item in items],
        "token_expired": [item.token_expired for item in items],
        "bills": [item.bill_fen for item in items],
        "used_at": [item.used_at for item in items],
        "words": [item.word for item in items],
        "redemptions": [new_id() for _ in items],
        "source": source,
        "now": now,
        "machine_now": machine_now(),
        "operators": [item.operator for item in items],
    }
    rows = await tx.execute(_REDEEM_WITHIN, values)
    return [Outcome(*row[1:]) for row in sorted(rows, key=_place)]


async def find(tx: Tx, caller: Caller, request_no: str) -> tuple[bool, Found | None] | None:
    """What became of a request: (blocked, write-off); None when it never arrived or was refused.

    It writes: its commit proves that the original, which somebody relies on now, is durable everywhere.
    """
    address = {"bucket": caller.bucket, "caller_id": caller.id, "request_no": request_no}
    request = (await tx.execute(_COUNT_REPLAY, address)).one_or_none()
    if request is None:
        return None
    if request.blocked:
        return True, None
    where = {"bucket": request.result_bucket, "id": request.result_id}
    return False, Found(*(await tx.execute(_REDEMPTION, where)).one())


def _place(row: Any) -> int:  # noqa: ANN401 - a row of either driver
    """Rows come back in any order; their first column is the item's position."""
    return int(row[0])
