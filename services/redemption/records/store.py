"""SQL of write-offs as people look them up: read only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.db import Tx

_ROW = """r.bucket, r.id, r.voucher_id, c.slug AS campaign, r.institution_id, i.name AS institution,
           r.terminal_id, r.voucher_type, r.kind, r.request_no, r.bill_fen, r.applied_fen, r.redeemed_at,
           r.received_at, r.source, r.state, r.settlement_id, r.operator, till.label AS terminal,
           worker.label AS operator_label"""
_NAMES = """JOIN core.campaign c ON c.id = r.campaign_id
    JOIN redemption.terminal till ON till.id = r.terminal_id
    LEFT JOIN redemption.operator worker
        ON worker.institution_id = r.institution_id AND worker.code = r.operator"""
_FITS = """(CAST(:terminal_id AS text) IS NULL OR own.terminal_id = :terminal_id)
          AND (CAST(:request_no AS text) IS NULL OR own.request_no = :request_no)
          AND (CAST(:state AS text) IS NULL OR own.state = :state)
          AND (CAST(:source AS text) IS NULL OR own.source = :source)
          AND (CAST(:campaign_id AS uuid) IS NULL OR own.campaign_id = :campaign_id)
          AND (CAST(:since AS timestamptz) IS NULL OR own.redeemed_at >= :since)
          AND (CAST(:until AS timestamptz) IS NULL OR own.redeemed_at < :until)"""
# Of each institution no more than a page, by its own index: a day of thousands of them stays short.
_PAGE = text(f"""
    SELECT {_ROW}
    FROM redemption.institution i
    CROSS JOIN LATERAL (
        SELECT * FROM redemption.redemption own
        WHERE own.institution_id = i.id AND {_FITS}
          AND (CAST(:after_at AS timestamptz) IS NULL
               OR own.redeemed_at <= :after_at
                  AND (own.redeemed_at, own.id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
        ORDER BY own.redeemed_at DESC, own.id DESC
        LIMIT :limit
    ) AS r
    {_NAMES}
    WHERE CAST(:institution_id AS text) IS NULL OR i.id = :institution_id
    ORDER BY r.redeemed_at DESC, r.id DESC
    LIMIT :limit
""")
_SUMS = text(f"""
    SELECT count(*), coalesce(sum(own.applied_fen), 0)::bigint FROM redemption.redemption own
    WHERE (CAST(:institution_id AS text) IS NULL OR own.institution_id = :institution_id) AND {_FITS}
""")
_OF_VOUCHER = text(f"""
    SELECT {_ROW}
    FROM redemption.redemption r
    JOIN redemption.institution i ON i.id = r.institution_id
    {_NAMES}
    WHERE r.bucket = :bucket AND r.voucher_id = :voucher_id
      AND (CAST(:institution_id AS text) IS NULL OR i.id = :institution_id)
    ORDER BY r.redeemed_at DESC, r.id DESC
    LIMIT :limit
""")
_ONE = text(f"""
    SELECT {_ROW}, r.campaign_id, r.payable_fen, r.split_fen, r.result_reported_at,
           undone.at AS reversed_at, undone.reason AS reversal_reason, undone.actor AS reversed_by,
           undone.terminal_id AS reversed_at_terminal,
           k.amount_fen AS corrected_fen, k.reason AS correction_reason, k.at AS corrected_at,
           k.settlement_id AS correction_settlement_id,
           s.period_from, s.period_to, s.status AS settlement_status
    FROM redemption.redemption r
    JOIN redemption.institution i ON i.id = r.institution_id
    {_NAMES}
    LEFT JOIN redemption.reversal undone ON undone.bucket = r.bucket AND undone.redemption_id = r.id
    LEFT JOIN redemption.correction k ON k.bucket = r.bucket AND k.redemption_id = r.id
    LEFT JOIN redemption.settlement s ON s.id = r.settlement_id
    WHERE r.bucket = :bucket AND r.id = :id
""")
_HOLDS = text("""
    SELECT h.id, h.redemption_id, h.reason, h.placed_at, h.released_at
    FROM redemption.settlement_hold h
    WHERE h.institution_id = :institution_id
      AND (h.redemption_id IS NULL AND h.released_at IS NULL
           OR h.bucket = :bucket AND h.redemption_id = :id)
    ORDER BY h.placed_at, h.id
""")


@dataclass(frozen=True, slots=True)
class Filters:
    """None: whatever it is. `since` is included, `until` not."""

    campaign_id: UUID | None = None
    institution_id: str | None = None
    terminal_id: str | None = None
    request_no: str | None = None
    state: str | None = None
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class WriteOff:
    bucket: int
    id: UUID
    voucher_id: UUID
    campaign: str
    institution_id: str
    institution: str
    terminal_id: str
    voucher_type: str
    kind: str
    request_no: str
    bill_fen: int | None
    applied_fen: int
    redeemed_at: datetime
    received_at: datetime
    source: str
    state: str
    settlement_id: UUID | None
    operator: str | None
    terminal: str
    operator_label: str | None


async def page(
    tx: Tx, filters: Filters, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[WriteOff]:
    """Newest first, up to `limit`. Locks nothing."""
    after_at, after_id = after or (None, None)
    values = {**_values(filters), "after_at": after_at, "after_id": after_id, "limit": limit}
    return [WriteOff(*row) for row in await tx.execute(_PAGE, values)]


async def sums(tx: Tx, filters: Filters) -> tuple[int, int]:
    """How many fit, and what was applied by them, in fen. Locks nothing."""
    count, applied_fen = (await tx.execute(_SUMS, _values(filters))).one()
    return count, applied_fen


def _values(filters: Filters) -> dict[str, Any]:
    return {
        "campaign_id": filters.campaign_id,
        "institution_id": filters.institution_id,
        "terminal_id": filters.terminal_id,
        "request_no": filters.request_no,
        "state": filters.state,
        "source": filters.source,
        "since": filters.since,
        "until": filters.until,
    }


async def of_voucher(
    tx: Tx, bucket: int, voucher_id: UUID, institution_id: str | None, *, limit: int
) -> list[WriteOff]:
    """All of a voucher, at one institution or anywhere, newest first. Locks nothing."""
    values = {"bucket": bucket, "voucher_id": voucher_id, "institution_id": institution_id, "limit": limit}
    return [WriteOff(*row) for row in await tx.execute(_OF_VOUCHER, values)]


async def one(tx: Tx, bucket: int, redemption_id: UUID) -> dict[str, Any] | None:
    """A write-off with its reversal, its correction and the settlement it is in. Locks nothing."""
    row = (await tx.execute(_ONE, {"bucket": bucket, "id": redemption_id})).mappings().one_or_none()
    return None if row is None else dict(row)


async def holds(tx: Tx, institution_id: str, bucket: int, redemption_id: UUID) -> list[dict[str, Any]]:
    """Those placed on it, and those of all its institution's that are open. Locks nothing."""
    values = {"institution_id": institution_id, "bucket": bucket, "id": redemption_id}
    return [dict(row) for row in (await tx.execute(_HOLDS, values)).mappings()]
