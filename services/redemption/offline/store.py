"""SQL of uploads and of the day's close."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from shared.db import Tx

# Around a day in any time zone; each write-off's own campaign then says which day it was.
_MARGIN = timedelta(days=1)

_DAY = text("""
    SELECT r.bucket, r.id, r.request_no, r.voucher_type, r.applied_fen, r.redeemed_at
    FROM redemption.redemption r
    JOIN core.campaign c ON c.id = r.campaign_id
    WHERE r.institution_id = :institution_id AND r.redeemed_at >= :earliest AND r.redeemed_at < :latest
      AND r.terminal_id = :terminal_id AND r.state = 'redeemed'
      AND (r.redeemed_at AT TIME ZONE c.timezone)::date = :day
    ORDER BY r.redeemed_at, r.id
""")
_HOLDERS = text("""
    SELECT item.place, v.bucket, v.id, v.campaign_id, r.bucket, r.id, r.institution_id, r.redeemed_at
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:code_hashes AS bytea[])) WITH ORDINALITY
        AS item (bucket, code_hash, place)
    JOIN core.voucher v ON v.bucket = item.bucket AND v.code_hash = item.code_hash
    LEFT JOIN redemption.redemption r
        ON r.bucket = v.bucket AND r.voucher_id = v.id AND r.state = 'redeemed'
""")


@dataclass(frozen=True, slots=True)
class Line:
    """A live write-off of a terminal's day."""

    bucket: int
    id: UUID
    request_no: str
    voucher_type: str
    applied_fen: int
    redeemed_at: datetime


@dataclass(frozen=True, slots=True)
class Holding:
    """A voucher, and the write-off that used it (None when that was reversed since)."""

    place: int
    voucher_bucket: int
    voucher_id: UUID
    campaign_id: UUID
    redemption_bucket: int | None
    redemption_id: UUID | None
    institution_id: str | None
    redeemed_at: datetime | None


async def live_lines(tx: Tx, *, institution_id: str, terminal_id: str, day: date) -> list[Line]:
    """A terminal's live write-offs of a day in their campaigns' time zones. Locks nothing."""
    midnight = datetime.fromisoformat(f"{day.isoformat()}T00:00:00+00:00")
    values = {
        "institution_id": institution_id,
        "terminal_id": terminal_id,
        "day": day,
        "earliest": midnight - _MARGIN,
        "latest": midnight + 2 * _MARGIN,
    }
    return [Line(*row) for row in await tx.execute(_DAY, values)]


async def holdings(tx: Tx, addresses: Sequence[tuple[int, bytes]]) -> list[Holding]:
    """Who used these vouchers; `place` counts from 1. Locks nothing."""
    values = {
        "buckets": [bucket for bucket, _ in addresses],
        "code_hashes": [code_hash for _, code_hash in addresses],
    }
    return [Holding(*row) for row in await tx.execute(_HOLDERS, values)]
