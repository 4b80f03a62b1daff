from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from shared.db import Tx

_RECORD = text("""
    INSERT INTO issuance.notice (bucket, id, voucher_id, kind, recorded_at)
    SELECT bucket, id, voucher_id, kind, :now
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[]), CAST(:vouchers AS uuid[]),
                CAST(:kinds AS text[])) AS u (bucket, id, voucher_id, kind)
    ON CONFLICT DO NOTHING
""")


@dataclass(frozen=True, slots=True)
class Notice:
    """`id` is that of the outbox row that caused it."""

    bucket: int
    id: UUID
    voucher_id: UUID
    kind: str


async def record(tx: Tx, notices: Sequence[Notice], now: datetime) -> None:
    """Writes those that are not recorded yet."""
    values = {
        "buckets": [notice.bucket for notice in notices],
        "ids": [notice.id for notice in notices],
        "vouchers": [notice.voucher_id for notice in notices],
        "kinds": [notice.kind for notice in notices],
        "now": now,
    }
    await tx.execute(_RECORD, values)
