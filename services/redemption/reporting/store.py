"""SQL of the figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select, text

from services.redemption.institutions.tables import InstitutionRow, MembershipRow
from services.redemption.reporting.tables import InstitutionStatisticsRow
from shared.db import Tx
from shared.ids import HotId

# Set-based, in the order of the key: of two jobs that count for one institution one waits. A write-off is
# counted on its day of use, its reversal takes it off the same day.
_COUNT = text("""
    INSERT INTO redemption.institution_statistics AS s (
        campaign_id, institution_id, day, voucher_type, count, applied_fen)
    SELECT r.campaign_id, r.institution_id, (r.redeemed_at AT TIME ZONE c.timezone)::date AS day,
           r.voucher_type, :sign * count(*), :sign * sum(r.applied_fen)
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[])) AS item (bucket, id)
    JOIN redemption.redemption r ON r.bucket = item.bucket AND r.id = item.id
    JOIN core.campaign c ON c.id = r.campaign_id
    GROUP BY r.campaign_id, r.institution_id, day, r.voucher_type
    ORDER BY r.campaign_id, r.institution_id, day, r.voucher_type
    ON CONFLICT (campaign_id, institution_id, day, voucher_type) DO UPDATE
    SET count = s.count + excluded.count, applied_fen = s.applied_fen + excluded.applied_fen
""")


@dataclass(frozen=True, slots=True)
class DayCount:
    day: date
    voucher_type: str
    count: int
    applied_fen: int


async def count(tx: Tx, redemptions: Sequence[HotId], *, sign: int) -> None:
    """Adds write-offs to their institutions' statistics, or takes them off (`sign` -1)."""
    values = {
        "buckets": [redemption.bucket for redemption in redemptions],
        "ids": [redemption.uuid for redemption in redemptions],
        "sign": sign,
    }
    await tx.execute(_COUNT, values)


async def institution_names(tx: Tx, campaigns: Sequence[UUID]) -> dict[str, str]:
    """Name by id of every institution that takes part in one of these campaigns, in the order of names."""
    statement = (
        select(InstitutionRow.id, InstitutionRow.name)
        .join(MembershipRow, MembershipRow.institution_id == InstitutionRow.id)
        .where(MembershipRow.campaign_id.in_(campaigns))
        .distinct()
        .order_by(InstitutionRow.name, InstitutionRow.id)
    )
    return {row.id: row.name for row in await tx.execute(statement)}


async def institution_exists(tx: Tx, institution_id: str) -> bool:
    statement = select(InstitutionRow.id).where(InstitutionRow.id == institution_id)
    return (await tx.execute(statement)).one_or_none() is not None


async def day_counts(tx: Tx, campaign_id: UUID, institution_id: str) -> list[DayCount]:
    """An institution's statistics of a campaign, in the order of days."""
    row = InstitutionStatisticsRow
    statement = (
        select(row.day, row.voucher_type, row.count, row.applied_fen)
        .where(row.campaign_id == campaign_id, row.institution_id == institution_id)
        .order_by(row.day, row.voucher_type)
    )
    return [DayCount(*found) for found in await tx.execute(statement)]
