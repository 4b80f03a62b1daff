"""SQL of the ranking."""

from datetime import date
from uuid import UUID

from sqlalchemy import text

from services.redemption.rankings.rules import Count
from shared.db import Tx

_COUNTS = text("""
    SELECT i.id, i.name, count(r.id) AS count, coalesce(sum(r.applied_fen), 0)::bigint AS amount_fen,
           count(DISTINCT v.person_id) AS distinct_holders
    FROM redemption.membership m
    JOIN redemption.institution i ON i.id = m.institution_id
    LEFT JOIN redemption.redemption r
        ON r.institution_id = m.institution_id AND r.campaign_id = m.campaign_id AND r.state = 'redeemed'
       AND r.redeemed_at >= CAST(:first AS date)::timestamp AT TIME ZONE :timezone
       AND r.redeemed_at < CAST(:next AS date)::timestamp AT TIME ZONE :timezone
    LEFT JOIN core.voucher v ON v.bucket = r.bucket AND v.id = r.voucher_id
    WHERE m.campaign_id = :campaign_id
    GROUP BY i.id, i.name
""")


async def month_counts(
    tx: Tx, campaign_id: UUID, *, first: date, following: date, timezone: str
) -> list[Count]:
    """Live write-offs of every institution of the campaign, by their time of use. Locks nothing."""
    values = {"campaign_id": campaign_id, "first": first, "next": following, "timezone": timezone}
    return [Count(*row) for row in await tx.execute(_COUNTS, values)]
