"""Read-only SQL of the overview over other services' tables: they meet in Postgres, and a page only looks."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Programme:
    """`allocated` is what the allocation in force distributes; None while there is none."""

    id: UUID
    slug: str
    title: str
    timezone: str
    target_cards: int
    issued_before_cards: int
    allocated: int | None


@dataclass(frozen=True, slots=True)
class HospitalQuota:
    programme_id: UUID
    hospital_id: str
    name: str
    alliance: str
    quota: int


_PROGRAMMES = text("""
    SELECT p.id, p.slug, p.title, p.timezone, p.target_cards, p.issued_before_cards, a.quota_sum AS allocated
    FROM quota.programme p
    LEFT JOIN LATERAL (
        SELECT quota_sum FROM quota.allocation
        WHERE programme_id = p.id
          AND coalesce(effective_month <= (CAST(:now AS timestamptz) AT TIME ZONE p.timezone)::date, true)
        ORDER BY version DESC LIMIT 1
    ) a ON true
    ORDER BY p.created_at DESC, p.id DESC
""")
_QUOTAS = text("""
    SELECT DISTINCT ON (a.programme_id, i.hospital_id)
           a.programme_id, i.hospital_id, i.hospital AS name, i.alliance, i.quota
    FROM quota.allocation a
    JOIN quota.allocation_item i ON i.allocation_id = a.id
    JOIN quota.programme p ON p.id = a.programme_id
    WHERE a.version = (
        SELECT max(version) FROM quota.allocation
        WHERE programme_id = p.id
          AND coalesce(effective_month <= (CAST(:now AS timestamptz) AT TIME ZONE p.timezone)::date, true)
    )
    ORDER BY a.programme_id, i.hospital_id, i.place
""")
_STOCK = text("""
    SELECT p.campaign_id, s.voucher_type,
           sum(s.put_in)::bigint AS put_in, sum(s.remaining)::bigint AS remaining
    FROM issuance.phase_stock s
    JOIN issuance.phase p ON p.id = s.phase_id
    WHERE p.closes_at > :now
    GROUP BY p.campaign_id, s.voucher_type
    ORDER BY p.campaign_id, s.voucher_type
""")
# A share that was decided since is no assumption any more.
_ASSUMED = text("""
    SELECT r.campaign_id,
           ARRAY(SELECT path FROM jsonb_array_elements_text(r.definition -> 'assumed') AS path
                 WHERE path NOT LIKE 'funding\\_sources%'
                    OR (SELECT count(DISTINCT v.shares_ppm) FROM core.fund_version v
                        WHERE v.campaign_id = r.campaign_id) = 1) AS paths
    FROM issuance.campaign_rules r WHERE r.definition ? 'assumed'
""")


async def assumed(tx: Tx) -> dict[UUID, list[str]]:
    """Which values of a campaign's definition are assumptions of a demonstration, by their paths."""
    return {row.campaign_id: list(row.paths) for row in await tx.execute(_ASSUMED)}


async def programmes(tx: Tx, now: datetime) -> list[Programme]:
    """All programmes, the newest first."""
    return [Programme(*row) for row in await tx.execute(_PROGRAMMES, {"now": now})]


async def quotas(tx: Tx, now: datetime) -> list[HospitalQuota]:
    """The quotas by which this month is judged, of all programmes."""
    return [HospitalQuota(*row) for row in await tx.execute(_QUOTAS, {"now": now})]


@dataclass(frozen=True, slots=True)
class Stock:
    campaign_id: UUID
    voucher_type: str
    put_in: int
    remaining: int


async def stock(tx: Tx, now: datetime) -> list[Stock]:
    """Pieces by campaign and type, over phases that are not over."""
    return [Stock(*row) for row in await tx.execute(_STOCK, {"now": now})]
