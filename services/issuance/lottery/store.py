"""SQL of chances, draws and awards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from shared.db import Database, Tx
from shared.ids import HotId

_PHASES = """
    SELECT c.id AS campaign_id, p.id, p.seq, p.opens_at, p.closes_at, p.seed_sealed
    FROM core.campaign c
    LEFT JOIN issuance.phase p ON p.campaign_id = c.id
    WHERE c.slug = $1
    ORDER BY p.opens_at
"""
_DRAW = "SELECT * FROM issuance.draw_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
_CAMPAIGN_ID = text("SELECT id FROM core.campaign WHERE slug = :slug")
_CHANCES = text("""
    SELECT ch.bucket, ch.id, c.slug, ch.channel, ch.granted_at, ch.state
    FROM issuance.chance ch JOIN core.campaign c ON c.id = ch.campaign_id
    WHERE ch.bucket = :bucket AND ch.person_id = :person
      AND (CAST(:campaign AS uuid) IS NULL OR ch.campaign_id = :campaign)
      AND (CAST(:before_at AS timestamptz) IS NULL
           OR (ch.granted_at, ch.id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS uuid)))
    ORDER BY ch.granted_at DESC, ch.id DESC LIMIT :limit
""")
_AVAILABLE = text("""
    SELECT count(*) FROM issuance.chance
    WHERE bucket = :bucket AND person_id = :person AND state = 'available'
      AND (CAST(:campaign AS uuid) IS NULL OR campaign_id = :campaign)
""")
_AWARDS = text("""
    SELECT a.bucket, a.id, c.slug, p.seq, a.state, a.won_at, a.expires_at, a.claimed_at, a.voucher_id,
           a.voucher_type, a.held_at IS NOT NULL,
           EXISTS (SELECT FROM issuance.award_hold h
                   WHERE h.bucket = a.bucket AND h.award_id = a.id AND h.state = 'rejected')
    FROM issuance.award a
    JOIN core.campaign c ON c.id = a.campaign_id
    JOIN issuance.phase p ON p.id = a.phase_id
    WHERE a.bucket = :bucket AND a.person_id = :person
      AND (CAST(:campaign AS uuid) IS NULL OR a.campaign_id = :campaign)
      AND (CAST(:before_at AS timestamptz) IS NULL
           OR (a.won_at, a.id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS uuid)))
    ORDER BY a.won_at DESC, a.id DESC LIMIT :limit
""")
_EXPIRE = text("SELECT issuance.expire_awards(:now, :limit)")


@dataclass(frozen=True, slots=True)
class Phase:
    id: UUID
    seq: int
    opens_at: datetime
    closes_at: datetime
    seed_sealed: bytes


@dataclass(frozen=True, slots=True)
class Phases:
    campaign_id: UUID
    phases: tuple[Phase, ...]

    def open_at(self, now: datetime) -> Phase | None:
        return next((phase for phase in self.phases if phase.opens_at <= now < phase.closes_at), None)


@dataclass(frozen=True, slots=True)
class Spending:
    """One draw to be made: whose, under which number, with what added to it."""

    address: HotId
    person_id: UUID
    award_id: UUID
    request_no: str
    fingerprint: bytes
    client_seed: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What a batch of draws is computed with. The pads are as secret as the phase's seed."""

    campaign_id: UUID
    phase_id: UUID | None
    pads: tuple[bytes, bytes]
    prefix: str


@dataclass(frozen=True, slots=True)
class Drawn:
    outcome: str
    bucket: int
    draw_id: UUID
    won: bool
    award_id: UUID | None
    award_expires_at: datetime | None
    chance_id: UUID
    client_seed: str
    odds_ppm: int
    seed_commitment: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Chance:
    address: HotId
    campaign: str
    channel: str
    granted_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Award:
    address: HotId
    campaign: str
    phase: int
    state: str
    won_at: datetime
    expires_at: datetime
    claimed_at: datetime | None
    voucher_id: UUID | None
    voucher_type: str | None
    held: bool
    withdrawn: bool

    def over(self, now: datetime) -> bool:
        """Its time is over, though the job has not come to it yet; a held one waits for a decision."""
        return self.state == "open" and not self.held and self.expires_at <= now


async def phases(database: Database, slug: str) -> Phases | None:
    """The campaign with this slug and its phases in the order of time; locks nothing."""
    rows = await database.call(_PHASES, slug)
    if not rows:
        return None
    found = tuple(Phase(*tuple(row)[1:]) for row in rows if row["id"] is not None)
    return Phases(campaign_id=rows[0]["campaign_id"], phases=found)


async def draw_batch(
    database: Database, terms: Terms, spendings: Sequence[Spending], *, now: datetime
) -> list[Drawn]:
    """issuance.draw_batch: locks the persons' turns and the phase's pool; one outcome each, in order."""
    rows = await database.call(
        _DRAW,
        terms.campaign_id,
        terms.phase_id,
        *terms.pads,
        terms.prefix,
        now,
        [spending.address.bucket for spending in spendings],
        [spending.person_id for spending in spendings],
        [spending.request_no for spending in spendings],
        [spending.fingerprint for spending in spendings],
        [spending.address.uuid for spending in spendings],
        [spending.award_id for spending in spendings],
        [spending.client_seed for spending in spendings],
    )
    return [Drawn(*row) for row in rows]


async def campaign_id(tx: Tx, slug: str) -> UUID | None:
    found: UUID | None = (await tx.execute(_CAMPAIGN_ID, {"slug": slug})).scalar_one_or_none()
    return found


async def chances(
    tx: Tx, owner: HotId, campaign: UUID | None, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[Chance]:
    """A person's chances, the newest first, from behind a position."""
    values = _page(owner, campaign, before, limit)
    rows = await tx.execute(_CHANCES, values)
    return [Chance(HotId(row[0], row[1]), *row[2:]) for row in rows]


async def available(tx: Tx, owner: HotId, campaign: UUID | None) -> int:
    values = {"bucket": owner.bucket, "person": owner.uuid, "campaign": campaign}
    return int((await tx.execute(_AVAILABLE, values)).scalar_one())


async def awards(
    tx: Tx, owner: HotId, campaign: UUID | None, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[Award]:
    """A person's awards, the newest first, from behind a position."""
    rows = await tx.execute(_AWARDS, _page(owner, campaign, before, limit))
    return [Award(HotId(row[0], row[1]), *row[2:]) for row in rows]


def _page(
    owner: HotId, campaign: UUID | None, before: tuple[datetime, UUID] | None, limit: int
) -> dict[str, object]:
    before_at, before_id = before or (None, None)
    return {
        "bucket": owner.bucket,
        "person": owner.uuid,
        "campaign": campaign,
        "before_at": before_at,
        "before_id": before_id,
        "limit": limit,
    }


async def expire_awards(tx: Tx, *, now: datetime, limit: int) -> int:
    """issuance.expire_awards: locks the pool of one phase; returns how many awards ended."""
    return int((await tx.execute(_EXPIRE, {"now": now, "limit": limit})).scalar_one())
