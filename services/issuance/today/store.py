"""SQL of a person's day. One look-up each by the person's key; locks nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.db import Tx
from shared.ids import HotId

_STANDING = text("""
    SELECT EXISTS (SELECT FROM core.person p
                   WHERE p.bucket = :bucket AND p.id = :person AND p.verified_at IS NOT NULL
                     AND p.erased_at IS NULL) AS verified,
           q.attempts_day, coalesce(q.attempts_today, 0), q.draws_day, coalesce(q.draws_today, 0),
           (SELECT count(*) FROM issuance.chance c
            WHERE c.bucket = :bucket AND c.person_id = :person AND c.campaign_id = :campaign
              AND c.state = 'available'),
           (SELECT count(*) FROM issuance.award a
            WHERE a.bucket = :bucket AND a.person_id = :person AND a.campaign_id = :campaign
              AND a.state = 'open' AND (a.expires_at > :now OR a.held_at IS NOT NULL)),
           (SELECT count(*) FROM issuance.award a
            WHERE a.bucket = :bucket AND a.person_id = :person AND a.phase_id = :phase
              AND (a.state = 'claimed'
                   OR a.state = 'open' AND (a.expires_at > :now OR a.held_at IS NOT NULL))),
           (SELECT count(*) FROM issuance.draw d
            WHERE d.bucket = :bucket AND d.person_id = :person AND d.campaign_id = :campaign
              AND d.phase_id = :phase),
           (SELECT a.id FROM issuance.quiz_attempt a
            WHERE a.bucket = :bucket AND a.person_id = :person AND a.campaign_id = :campaign
              AND a.state = 'open' AND a.expires_at > :now
            ORDER BY a.day DESC, a.day_no DESC LIMIT 1)
    FROM (SELECT 1) one
    LEFT JOIN issuance.participant q ON q.bucket = :bucket AND q.campaign_id = :campaign
                                    AND q.person_id = :person
""")
_DONE = text("""
    SELECT channel, max(day_no) FROM issuance.activity
    WHERE bucket = :bucket AND campaign_id = :campaign AND person_id = :person AND day = :day
    GROUP BY channel
""")
_DRAWS = text("""
    SELECT d.bucket, d.id, p.seq, d.channel, d.drawn_at, d.won, d.chance_id, d.client_seed, o.odds_ppm,
           p.seed_commitment, d.value
    FROM issuance.draw d
    JOIN issuance.phase p ON p.id = d.phase_id
    JOIN issuance.odds_version o ON o.id = d.odds_version_id
    WHERE d.bucket = :bucket AND d.campaign_id = :campaign AND d.person_id = :person
      AND (CAST(:before_at AS timestamptz) IS NULL
           OR (d.drawn_at, d.id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS uuid)))
    ORDER BY d.drawn_at DESC, d.id DESC LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands in a campaign; counts of a day with the day that they belong to."""

    verified: bool
    attempts_day: date | None
    attempts_today: int
    draws_day: date | None
    draws_today: int
    chances: int
    awards_open: int
    vouchers_in_phase: int
    draws_in_phase: int
    open_attempt: UUID | None


@dataclass(frozen=True, slots=True)
class OwnDraw:
    address: HotId
    phase: int
    channel: str
    drawn_at: datetime
    won: bool
    chance_id: UUID
    client_seed: str
    odds_ppm: int
    seed_commitment: str
    value: bytes


async def standing(
    tx: Tx, person: HotId, campaign_id: UUID, phase_id: UUID | None, now: datetime
) -> Standing:
    values = _of(person) | {"campaign": campaign_id, "phase": phase_id, "now": now}
    return Standing(*(await tx.execute(_STANDING, values)).one())


async def done(tx: Tx, person: HotId, campaign_id: UUID, day: date) -> Mapping[str, int]:
    """How often the person took part on a day, by channel other than the quiz."""
    rows = await tx.execute(_DONE, _of(person) | {"campaign": campaign_id, "day": day})
    return {row[0]: row[1] for row in rows}


async def draws(
    tx: Tx, person: HotId, campaign_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[OwnDraw]:
    """A person's draws in a campaign, the newest first, from behind a position."""
    before_at, before_id = before or (None, None)
    place = {"campaign": campaign_id, "before_at": before_at, "before_id": before_id, "limit": limit}
    rows = await tx.execute(_DRAWS, _of(person) | place)
    return [OwnDraw(HotId(row[0], row[1]), *row[2:]) for row in rows]


def _of(person: HotId) -> dict[str, Any]:
    return {"bucket": person.bucket, "person": person.uuid}
