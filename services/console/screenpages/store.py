"""Read-only SQL of the big screen: services meet in Postgres, and a screen only looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text

from services.console.screenpages.rules import HospitalRow, InstitutionRow
from shared.db import Tx

# What is left counts as issuance counts it: over phases that are not closed.
_STOCK = text("""
    SELECT s.voucher_type, sum(s.remaining)::bigint AS remaining
    FROM issuance.phase_stock s
    JOIN issuance.phase p ON p.id = s.phase_id
    WHERE p.campaign_id = :campaign AND p.closes_at > :now
    GROUP BY s.voucher_type
""")
_INSTITUTIONS = text("""
    SELECT i.id, i.name, coalesce(i.county, '') AS county
    FROM redemption.institution i
    WHERE i.id = ANY(CAST(:counted AS text[]))
       OR EXISTS (SELECT FROM redemption.membership m
                  WHERE m.institution_id = i.id AND m.campaign_id = :campaign)
    ORDER BY i.name, i.id
""")
_PROGRAMMES = text("""
    SELECT id, slug, title, timezone, target_cards, issued_before_cards
    FROM quota.programme ORDER BY created_at DESC, id DESC
""")
# The quotas by which this month is judged; a hospital that merged is part of the other's line.
_HOSPITALS = text("""
    SELECT s.hospital_id, s.unit_id, s.name, s.alliance, i.quota
    FROM quota.hospital_at(:programme, :today) s
    LEFT JOIN quota.allocation_item i
           ON i.hospital_id = s.hospital_id
          AND i.allocation_id = (
              SELECT id FROM quota.allocation
              WHERE programme_id = :programme AND coalesce(effective_month <= :today, true)
              ORDER BY version DESC LIMIT 1)
    ORDER BY s.position
""")


@dataclass(frozen=True, slots=True)
class Programme:
    id: UUID
    slug: str
    title: str
    timezone: str
    target_cards: int
    issued_before_cards: int


async def stock(tx: Tx, campaign: UUID, now: datetime) -> dict[str, int]:
    """What is left by voucher type."""
    rows = await tx.execute(_STOCK, {"campaign": campaign, "now": now})
    return {row.voucher_type: row.remaining for row in rows}


async def institutions(tx: Tx, campaign: UUID, counted: Sequence[str]) -> list[InstitutionRow]:
    """Those that take part, and those that `counted` names because something was written off there."""
    rows = await tx.execute(_INSTITUTIONS, {"campaign": campaign, "counted": list(counted)})
    return [InstitutionRow(*row) for row in rows]


async def programmes(tx: Tx) -> list[Programme]:
    """All programmes, the newest first."""
    return [Programme(*row) for row in await tx.execute(_PROGRAMMES)]


async def hospitals(tx: Tx, programme: UUID, today: date) -> list[HospitalRow]:
    """As they stand today, in the order of their list."""
    rows = await tx.execute(_HOSPITALS, {"programme": programme, "today": today})
    return [HospitalRow(*row) for row in rows]
