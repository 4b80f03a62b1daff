"""SQL of risk rules, sightings and held awards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from services.issuance.holds.tables import RiskRuleRow
from shared.db import Database, Tx
from shared.ids import HotId

_WATCHED = """
    SELECT c.id, c.timezone, EXISTS (
               SELECT FROM issuance.risk_rule r
               WHERE r.campaign_id = c.id
                 AND num_nonnulls(r.persons_per_device, r.persons_per_address_per_day,
                                  r.seconds_per_question_below, r.wins_per_device) > 0) AS watched
    FROM core.campaign c WHERE c.slug = $1
"""
_NOTE = """
    INSERT INTO issuance.sighting AS s (campaign_id, kind, key_hash, bucket, person_id, seen_on)
    SELECT DISTINCT ON (campaign_id, kind, key_hash, bucket, person_id)
           campaign_id, kind, key_hash, bucket, person_id, seen_on
    FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::smallint[], $5::uuid[], $6::date[])
         AS u (campaign_id, kind, key_hash, bucket, person_id, seen_on)
    ORDER BY campaign_id, kind, key_hash, bucket, person_id, seen_on DESC
    ON CONFLICT (campaign_id, kind, key_hash, bucket, person_id)
    DO UPDATE SET seen_on = excluded.seen_on WHERE s.seen_on < excluded.seen_on
"""
_FORGET = text("""
    DELETE FROM issuance.sighting WHERE (campaign_id, kind, key_hash, bucket, person_id) IN (
        SELECT campaign_id, kind, key_hash, bucket, person_id FROM issuance.sighting
        WHERE seen_on < :before AND (kind = 'address' OR seen_on < :devices_before)
        LIMIT :limit FOR UPDATE SKIP LOCKED)
""")
_HOLD = """
    SELECT h.bucket, h.award_id, c.slug, ph.seq, h.state, a.person_id, p.name_masked, a.won_at, h.held_at,
           h.evidence, h.decided_at, h.decided_by, h.note
    FROM issuance.award_hold h
    JOIN issuance.award a ON a.bucket = h.bucket AND a.id = h.award_id
    JOIN issuance.phase ph ON ph.id = a.phase_id
    JOIN core.campaign c ON c.id = h.campaign_id
    JOIN core.person p ON p.bucket = a.bucket AND p.id = a.person_id
"""
# An open case whose winner was forgotten is nobody's any more: its award is not held.
_PAGE = text(f"""
    {_HOLD}
    WHERE h.state = :status AND (h.state <> 'open' OR a.held_at IS NOT NULL)
      AND (CAST(:slug AS text) IS NULL OR c.slug = :slug)
      AND (CAST(:after_at AS timestamptz) IS NULL
           OR (h.held_at, h.award_id) > (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
    ORDER BY h.held_at, h.award_id LIMIT :limit
""")
_DECIDE = text("SELECT issuance.decide_hold(:now, CAST(:bucket AS smallint), :award, :state, :by, :note)")
_OPEN = text("""
    SELECT h.campaign_id, count(*) FROM issuance.award_hold h
    JOIN issuance.award a ON a.bucket = h.bucket AND a.id = h.award_id
    WHERE h.state = 'open' AND a.held_at IS NOT NULL AND h.campaign_id = ANY(CAST(:campaigns AS uuid[]))
    GROUP BY h.campaign_id
""")


@dataclass(frozen=True, slots=True)
class Watched:
    """A campaign that has a risk rule, or not."""

    campaign_id: UUID
    timezone: str
    watched: bool


@dataclass(frozen=True, slots=True)
class Sighting:
    campaign_id: UUID
    kind: str
    key_hash: bytes
    person: HotId
    seen_on: date


@dataclass(frozen=True, slots=True)
class Hold:
    bucket: int
    award_id: UUID
    campaign: str
    phase: int
    state: str
    person_id: UUID
    name_masked: str | None
    won_at: datetime
    held_at: datetime
    evidence: list[dict[str, Any]]
    decided_at: datetime | None
    decided_by: UUID | None
    note: str | None


async def insert_risk_rule(
    tx: Tx, campaign_id: UUID, limits: Mapping[str, int | None], *, note_claims: bool
) -> None:
    await tx.execute(insert(RiskRuleRow).values(campaign_id=campaign_id, note_claims=note_claims, **limits))


async def watched(database: Database, slug: str) -> Watched | None:
    rows = await database.call(_WATCHED, slug)
    return Watched(*rows[0]) if rows else None


async def note(database: Database, sightings: Sequence[Sighting]) -> None:
    """Each is kept once; a repeated one is of the later day."""
    await database.call(
        _NOTE,
        [sighting.campaign_id for sighting in sightings],
        [sighting.kind for sighting in sightings],
        [sighting.key_hash for sighting in sightings],
        [sighting.person.bucket for sighting in sightings],
        [sighting.person.uuid for sighting in sightings],
        [sighting.seen_on for sighting in sightings],
    )


async def forget(tx: Tx, *, addresses_before: date, devices_before: date, limit: int) -> int:
    """Forgets what was seen before these days; returns how many."""
    values = {"before": addresses_before, "devices_before": devices_before, "limit": limit}
    return (await tx.execute(_FORGET, values)).rowcount


async def page(
    tx: Tx, status: str, slug: str | None, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Hold]:
    """The one that waits longest first, from behind a position."""
    after_at, after_id = after or (None, None)
    values = {"status": status, "slug": slug, "after_at": after_at, "after_id": after_id, "limit": limit}
    return [Hold(*row) for row in await tx.execute(_PAGE, values)]


async def decide(tx: Tx, award: HotId, *, state: str, by: UUID, note: str, now: datetime) -> str:
    """issuance.decide_hold: locks the pool of a rejected award's phase, then the award."""
    values = {
        "now": now,
        "bucket": award.bucket,
        "award": award.uuid,
        "state": state,
        "by": by,
        "note": note,
    }
    return str((await tx.execute(_DECIDE, values)).scalar_one())


async def open_holds(tx: Tx, campaigns: Sequence[UUID]) -> dict[UUID, int]:
    """How many cases wait in each campaign; campaigns without any are left out."""
    rows = await tx.execute(_OPEN, {"campaigns": list(campaigns)})
    return {row[0]: row[1] for row in rows}
