"""SQL of the ranking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text

from services.redemption.rankings.rules import Count, Ranked
from services.redemption.rankings.tables import RankingEditionRow, RankingItemRow
from shared.db import Tx
from shared.rankings import month_of
from shared.vouchers.catalogue import CampaignRef
from shared.vouchers.tables import CampaignRow

# The check `frozen_institution_rankings_are_what_was_counted` counts the same way.
_COUNTS = text("""
    WITH counted AS MATERIALIZED (
        SELECT r.institution_id, r.voucher_type, r.applied_fen, v.person_id,
               EXISTS (
                   SELECT FROM redemption.risk_case_item e
                   WHERE e.bucket = r.bucket AND e.redemption_id = r.id
                     AND e.at <= CAST(:as_of AS timestamptz)
                     AND (SELECT a.decision FROM redemption.risk_case_action a
                          WHERE a.case_id = e.case_id AND a.action IN ('decide', 'reopen')
                            AND a.at <= CAST(:as_of AS timestamptz)
                          ORDER BY a.seq DESC LIMIT 1) IS DISTINCT FROM 'dismiss'
               ) AS flagged
        FROM redemption.membership m
        JOIN redemption.redemption r
            ON r.institution_id = m.institution_id AND r.campaign_id = m.campaign_id
           AND r.redeemed_at >= CAST(:first AS date)::timestamp AT TIME ZONE :timezone
           AND r.redeemed_at < CAST(:following AS date)::timestamp AT TIME ZONE :timezone
           AND r.received_at <= CAST(:as_of AS timestamptz)
        JOIN core.voucher v ON v.bucket = r.bucket AND v.id = r.voucher_id
        LEFT JOIN redemption.reversal x ON x.bucket = r.bucket AND x.redemption_id = r.id
        WHERE m.campaign_id = :campaign_id
          AND (r.state = 'redeemed' OR x.at > CAST(:as_of AS timestamptz))
    )
    SELECT i.id, i.name, i.category, count(c.institution_id) AS count,
           coalesce(sum(c.applied_fen), 0)::bigint AS amount_fen,
           count(DISTINCT c.person_id) AS distinct_holders,
           count(*) FILTER (WHERE c.flagged) AS flagged, k.hourly,
           (SELECT coalesce(jsonb_object_agg(t.voucher_type, t.n), '{}')
            FROM (SELECT voucher_type, count(*) AS n FROM counted
                  WHERE institution_id = i.id GROUP BY voucher_type) AS t)
    FROM redemption.membership m
    JOIN redemption.institution i ON i.id = m.institution_id
    LEFT JOIN redemption.institution_capacity k ON k.institution_id = i.id
    LEFT JOIN counted c ON c.institution_id = i.id
    WHERE m.campaign_id = :campaign_id
    GROUP BY i.id, k.hourly
""")
_EDITION = select(
    RankingEditionRow.id,
    RankingEditionRow.edition,
    RankingEditionRow.reason,
    RankingEditionRow.as_of,
)


@dataclass(frozen=True, slots=True)
class Edition:
    id: UUID
    edition: int
    reason: str | None
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Frozen:
    """An edition in the list of months."""

    month: date
    edition: int
    reason: str | None
    as_of: datetime
    frozen_at: datetime


async def month_counts(tx: Tx, campaign: CampaignRef, first: date, *, as_of: datetime) -> list[Count]:
    """Live write-offs of every institution of the campaign, by their time of use. Locks nothing.

    What came or was undone after `as_of` is left out of account.
    """
    values = {
        "campaign_id": campaign.id,
        "first": first,
        "following": month_of(first)[1] + timedelta(days=1),
        "timezone": campaign.timezone,
        "as_of": as_of,
    }
    return [Count(*row) for row in await tx.execute(_COUNTS, values)]


async def lock_campaign(tx: Tx, slug: str) -> None:
    """Of two freezes one waits, and then finds the other's edition."""
    statement = select(CampaignRow.id).where(CampaignRow.slug == slug).with_for_update(key_share=True)
    await tx.execute(statement)


async def edition(tx: Tx, campaign_id: UUID, month: date, number: int | None = None) -> Edition | None:
    """An edition of a month: the latest one unless a number is given."""
    statement = _EDITION.where(RankingEditionRow.campaign_id == campaign_id, RankingEditionRow.month == month)
    if number is not None:
        statement = statement.where(RankingEditionRow.edition == number)
    statement = statement.order_by(RankingEditionRow.edition.desc()).limit(1)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Edition(*row)


async def editions(tx: Tx, campaign_id: UUID) -> list[Frozen]:
    """Every edition of every frozen month, the latest first."""
    statement = (
        select(
            RankingEditionRow.month,
            RankingEditionRow.edition,
            RankingEditionRow.reason,
            RankingEditionRow.as_of,
            RankingEditionRow.frozen_at,
        )
        .where(RankingEditionRow.campaign_id == campaign_id)
        .order_by(RankingEditionRow.month.desc(), RankingEditionRow.edition.desc())
    )
    return [Frozen(*row) for row in await tx.execute(statement)]


async def items(tx: Tx, edition_id: UUID) -> list[Ranked]:
    """In the order in which they were published."""
    row = RankingItemRow
    statement = (
        select(
            row.institution_id,
            row.name,
            row.category,
            row.count,
            row.amount_fen,
            row.distinct_holders,
            row.flagged,
            row.hourly_capacity,
            row.by_voucher_type,
            row.rank,
            row.rank_in_category,
            row.rank_by_holders,
            row.rank_per_capacity,
        )
        .where(row.edition_id == edition_id)
        .order_by(row.place)
    )
    return [Ranked(Count(*found[:9]), *found[9:]) for found in await tx.execute(statement)]


async def insert_edition(tx: Tx, header: dict[str, Any], ranked: Sequence[Ranked]) -> None:
    """Writes an edition with its lines. The caller holds the campaign's lock."""
    await tx.execute(insert(RankingEditionRow).values(**header))
    rows = [
        {
            "edition_id": header["id"],
            "institution_id": one.of.institution_id,
            "place": place,
            "name": one.of.name,
            "category": one.of.category,
            "count": one.of.count,
            "amount_fen": one.of.amount_fen,
            "distinct_holders": one.of.distinct_holders,
            "flagged": one.of.flagged,
            "hourly_capacity": one.of.hourly_capacity,
            "by_voucher_type": dict(one.of.by_voucher_type),
            "rank": one.rank,
            "rank_in_category": one.rank_in_category,
            "rank_by_holders": one.rank_by_holders,
            "rank_per_capacity": one.rank_per_capacity,
        }
        for place, one in enumerate(ranked)
    ]
    await tx.execute(insert(RankingItemRow), rows)
