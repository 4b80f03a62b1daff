"""SQL of uploads and of the day's close."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from services.redemption.offline.rules import DayLimit, Stake, Taken
from shared.db import Tx

# Around a day in any time zone; each write-off's own campaign then says which day it was.
_MARGIN = timedelta(days=1)

_DAY = text("""
    SELECT r.bucket, r.id, r.request_no, r.voucher_type, r.applied_fen, r.redeemed_at, r.operator
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
_LIMITS = text("""
    SELECT c.id, c.offline_count_per_day, c.offline_fen_per_day
    FROM redemption.membership m
    JOIN core.campaign c ON c.id = m.campaign_id
    WHERE m.institution_id = :institution_id
      AND (c.offline_count_per_day IS NOT NULL OR c.offline_fen_per_day IS NOT NULL)
""")
_LOCK_TERMINAL = text("SELECT FROM redemption.terminal WHERE id = :terminal_id FOR NO KEY UPDATE")
_STAKES = text("""
    SELECT item.place, v.campaign_id, (item.at AT TIME ZONE c.timezone)::date,
           CASE v.kind WHEN 'general' THEN least(v.amount_fen, item.bill_fen) ELSE v.amount_fen END
    FROM unnest(CAST(:places AS integer[]), CAST(:buckets AS smallint[]), CAST(:code_hashes AS bytea[]),
                CAST(:bills AS bigint[]), CAST(:at AS timestamptz[]))
        AS item (place, bucket, code_hash, bill_fen, at)
    JOIN core.voucher v ON v.bucket = item.bucket AND v.code_hash = item.code_hash
    JOIN core.campaign c ON c.id = v.campaign_id
    WHERE v.campaign_id = ANY (CAST(:campaigns AS uuid[]))
""")
_TAKEN = text("""
    SELECT r.campaign_id, (r.redeemed_at AT TIME ZONE c.timezone)::date AS day, count(*),
           sum(r.applied_fen)::bigint
    FROM redemption.redemption r
    JOIN core.campaign c ON c.id = r.campaign_id
    WHERE r.institution_id = :institution_id AND r.redeemed_at >= :earliest AND r.redeemed_at < :latest
      AND r.terminal_id = :terminal_id AND r.source = 'batch' AND r.state = 'redeemed'
      AND r.campaign_id = ANY (CAST(:campaigns AS uuid[]))
    GROUP BY r.campaign_id, day
""")


@dataclass(frozen=True, slots=True)
class Shown:
    """An item of an upload that may be a voucher, by its place."""

    place: int
    bucket: int
    code_hash: bytes
    bill_fen: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A live write-off of a terminal's day."""

    bucket: int
    id: UUID
    request_no: str
    voucher_type: str
    applied_fen: int
    redeemed_at: datetime
    operator: str | None


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


async def day_limits(tx: Tx, institution_id: str) -> dict[UUID, DayLimit]:
    """The campaigns of an institution that limit uploads; most limit none. Locks nothing."""
    rows = await tx.execute(_LIMITS, {"institution_id": institution_id})
    return {row.id: DayLimit(row.offline_count_per_day, row.offline_fen_per_day) for row in rows}


async def lock_terminal(tx: Tx, terminal_id: str) -> None:
    """Of two uploads of a terminal one waits for the other; nobody else waits for it."""
    await tx.execute(_LOCK_TERMINAL, {"terminal_id": terminal_id})


async def stakes(tx: Tx, shown: Sequence[Shown], campaigns: Sequence[UUID]) -> list[Stake]:
    """What those of these items that are vouchers of the campaigns would take, in any order."""
    values = {
        "places": [one.place for one in shown],
        "buckets": [one.bucket for one in shown],
        "code_hashes": [one.code_hash for one in shown],
        "bills": [one.bill_fen for one in shown],
        "at": [one.at for one in shown],
        "campaigns": list(campaigns),
    }
    return [Stake(*row) for row in await tx.execute(_STAKES, values)]


async def taken(
    tx: Tx,
    *,
    institution_id: str,
    terminal_id: str,
    campaigns: Sequence[UUID],
    first: datetime,
    last: datetime,
) -> dict[tuple[UUID, date], Taken]:
    """What stands of a terminal's uploads, by campaign and day, around these moments."""
    values = {
        "institution_id": institution_id,
        "terminal_id": terminal_id,
        "campaigns": list(campaigns),
        "earliest": first - 2 * _MARGIN,
        "latest": last + 2 * _MARGIN,
    }
    rows = await tx.execute(_TAKEN, values)
    return {(row[0], row[1]): Taken(row[2], row[3]) for row in rows}
