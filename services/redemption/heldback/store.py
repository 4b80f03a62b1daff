"""SQL of what settlements left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.db import Tx

# A hold was open then when it was placed no later than the run and not released before it.
_FITS = """
    FROM redemption.held_back b
    JOIN redemption.settlement_run run ON run.id = b.run_id
    JOIN core.campaign c ON c.id = run.campaign_id
    JOIN redemption.institution i ON i.id = b.institution_id
    JOIN redemption.redemption r ON r.bucket = b.bucket AND r.id = b.redemption_id
    WHERE (CAST(:campaign AS text) IS NULL OR c.slug = :campaign)
      AND (CAST(:institution_id AS text) IS NULL OR b.institution_id = :institution_id)
      AND (CAST(:run_id AS uuid) IS NULL OR b.run_id = :run_id)
      AND (NOT :waiting OR r.settlement_id IS NULL AND r.state = 'redeemed')"""
_COUNT = text(f"SELECT count(*) {_FITS}")
_PAGE = text(f"""
    SELECT b.run_id, run.at, run.hold_days, b.bucket, b.redemption_id, b.institution_id, r.request_no,
           r.voucher_type, r.applied_fen, r.redeemed_at, r.received_at, b.cause, r.settlement_id,
           ARRAY(SELECT h.reason FROM redemption.settlement_hold h
                 WHERE b.cause <> 'hold_period' AND h.institution_id = b.institution_id
                   AND h.placed_at <= run.at AND (h.released_at IS NULL OR h.released_at >= run.at)
                   AND CASE b.cause WHEN 'institution_hold' THEN h.redemption_id IS NULL
                            ELSE h.bucket = b.bucket AND h.redemption_id = b.redemption_id END
                 ORDER BY h.placed_at, h.id) AS reasons, i.name AS institution
    {_FITS}
      AND (CAST(:after_at AS timestamptz) IS NULL
           OR (run.at, b.run_id, b.redemption_id)
              < (CAST(:after_at AS timestamptz), CAST(:after_run AS uuid), CAST(:after_id AS uuid)))
    ORDER BY run.at DESC, b.run_id DESC, b.redemption_id DESC
    LIMIT :limit
""")


# The moment of a run, the run, a write-off.
Position = tuple[datetime, UUID, UUID]


@dataclass(frozen=True, slots=True)
class Filters:
    """`waiting`: only what is in no settlement yet."""

    campaign: str | None
    institution_id: str | None
    run_id: UUID | None
    waiting: bool


@dataclass(frozen=True, slots=True)
class Held:
    run_id: UUID
    run_at: datetime
    hold_days: int
    bucket: int
    redemption_id: UUID
    institution_id: str
    request_no: str
    voucher_type: str
    applied_fen: int
    redeemed_at: datetime
    received_at: datetime
    cause: str
    settlement_id: UUID | None
    reasons: Sequence[str]
    institution: str


async def page(tx: Tx, filters: Filters, *, limit: int, after: Position | None) -> list[Held]:
    """Of the latest run first."""
    after_at, after_run, after_id = after or (None, None, None)
    values = {
        **_values(filters),
        "limit": limit,
        "after_at": after_at,
        "after_run": after_run,
        "after_id": after_id,
    }
    return [Held(*row) for row in await tx.execute(_PAGE, values)]


async def count(tx: Tx, filters: Filters) -> int:
    return int((await tx.execute(_COUNT, _values(filters))).scalar_one())


def _values(filters: Filters) -> dict[str, Any]:
    return {
        "campaign": filters.campaign,
        "institution_id": filters.institution_id,
        "run_id": filters.run_id,
        "waiting": filters.waiting,
    }
