"""SQL of the monitor: it only reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text

from services.issuance.monitoring.rules import DrawnCell
from shared.db import Tx
from shared.ids import BUCKETS

_DRAWN = text("""
    SELECT d.day, d.channel, o.odds_ppm, count(*), count(*) FILTER (WHERE d.won)
    FROM issuance.draw d
    JOIN issuance.odds_version o ON o.id = d.odds_version_id
    WHERE d.phase_id = ANY(CAST(:phases AS uuid[]))
    GROUP BY d.day, d.channel, o.odds_ppm
""")
_PHASES = text("""
    SELECT id FROM issuance.phase
    WHERE campaign_id = :campaign_id AND (CAST(:seq AS integer) IS NULL OR seq = :seq)
""")
_STARTED = text("""
    SELECT day, count(*) FROM issuance.quiz_attempt WHERE campaign_id = :campaign_id AND bucket < :buckets
    GROUP BY day
""")
_CLAIMED = text("""
    SELECT channel, step, CAST(at AT TIME ZONE :timezone AS date), count(*)
    FROM (SELECT d.channel, a.claimed_at, v.redeemed_at
          FROM issuance.award a
          JOIN issuance.draw d ON d.bucket = a.bucket AND d.id = a.draw_id
          JOIN core.voucher v ON v.bucket = a.bucket AND v.id = a.voucher_id
          WHERE a.campaign_id = :campaign_id AND a.state = 'claimed') AS claim
    CROSS JOIN LATERAL (VALUES ('claimed', claimed_at), ('redeemed', redeemed_at)) AS step (step, at)
    WHERE at IS NOT NULL
    GROUP BY 1, 2, 3
""")
# Everybody who ever signed in stands first: people sign in to the platform, not to a campaign.
_PERSONS = text("""
    SELECT (SELECT count(*) FROM core.person WHERE bucket < :buckets),
           (SELECT count(*) FROM core.person WHERE bucket < :buckets AND verified_at IS NOT NULL),
           (SELECT count(*) FROM (
                SELECT person_id FROM issuance.participant
                WHERE bucket < :buckets AND campaign_id = :campaign_id
                UNION
                SELECT person_id FROM issuance.chance
                WHERE bucket < :buckets AND campaign_id = :campaign_id) AS took_part),
           (SELECT count(DISTINCT person_id) FROM issuance.draw
            WHERE bucket < :buckets AND campaign_id = :campaign_id),
           (SELECT count(DISTINCT person_id) FROM issuance.award
            WHERE bucket < :buckets AND campaign_id = :campaign_id),
           (SELECT count(DISTINCT person_id) FROM issuance.award
            WHERE bucket < :buckets AND campaign_id = :campaign_id AND state = 'claimed'),
           (SELECT count(DISTINCT person_id) FROM core.voucher
            WHERE bucket < :buckets AND campaign_id = :campaign_id AND state = 'redeemed')
""")


@dataclass(frozen=True, slots=True)
class Claimed:
    """Vouchers whose chance was earned in this way and that were claimed or redeemed (`step`) on a day."""

    channel: str
    step: str
    day: date
    vouchers: int


async def phases(tx: Tx, campaign_id: UUID, seq: int | None) -> list[UUID]:
    """The phase with this number, or all of them; empty when there is none."""
    rows = await tx.execute(_PHASES, {"campaign_id": campaign_id, "seq": seq})
    return list(rows.scalars())


async def drawn(tx: Tx, phase_ids: Sequence[UUID]) -> list[DrawnCell]:
    """Every draw of these phases, counted by day, way and the odds that it was made at."""
    return [DrawnCell(*row) for row in await tx.execute(_DRAWN, {"phases": list(phase_ids)})]


async def started(tx: Tx, campaign_id: UUID, *, buckets: int) -> dict[date, int]:
    """How many attempts were begun on each day, estimated from the persons in the first so many buckets."""
    rows = await tx.execute(_STARTED, {"campaign_id": campaign_id, "buckets": buckets})
    return {day: n * BUCKETS // buckets for day, n in rows}


async def claimed(tx: Tx, campaign_id: UUID, timezone: str) -> list[Claimed]:
    values = {"campaign_id": campaign_id, "timezone": timezone}
    return [Claimed(*row) for row in await tx.execute(_CLAIMED, values)]


async def persons(tx: Tx, campaign_id: UUID, *, buckets: int) -> list[int]:
    """How many persons signed in, were verified, took part, drew, won, claimed, redeemed.

    Estimated from the persons in the first so many buckets.
    """
    row = (await tx.execute(_PERSONS, {"campaign_id": campaign_id, "buckets": buckets})).one()
    return [n * BUCKETS // buckets for n in row]
