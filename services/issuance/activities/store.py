"""SQL of taking part other than by the quiz. Locks: the person's turn, its photos, the event's row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.db import Tx
from shared.ids import HotId

_TERMS = text("""
    SELECT c.id, c.status, c.timezone, p.id, ch.chances, ch.per_day, ch.review
    FROM core.campaign c
    LEFT JOIN issuance.phase p ON p.campaign_id = c.id AND p.opens_at <= :now AND p.closes_at > :now
    LEFT JOIN issuance.channel ch ON ch.campaign_id = c.id AND ch.key = :channel
    WHERE c.slug = :slug
""")
_TURN = text("""
    SELECT issuance.lock_participants(
        ARRAY[CAST(:campaign AS uuid)], ARRAY[CAST(:bucket AS smallint)], ARRAY[CAST(:person AS uuid)])
""")
_COUNT = text("""
    SELECT coalesce(max(day_no), 0) FROM issuance.activity
    WHERE bucket = :bucket AND campaign_id = :campaign AND person_id = :person AND channel = :channel
      AND day = :day
""")
_CHECKED_IN = text("""
    SELECT EXISTS (SELECT FROM issuance.activity
                   WHERE bucket = :bucket AND person_id = :person AND event_id = :event)
""")
# An activity and its figure in one statement, so that the two cannot part.
_INSERT = text("""
    WITH made AS (
        INSERT INTO issuance.activity (
            bucket, id, campaign_id, phase_id, person_id, channel, state, day, day_no, submitted_at,
            chances_granted, event_id, evidence_sealed, subject_hash, text_bands, category)
        VALUES (:bucket, :id, :campaign, :phase, :person, :channel, :state, :day, :day_no, :now, :chances,
                :event, :evidence, :subject_hash, CAST(:text_bands AS bigint[]),
                CASE WHEN :state = 'accepted' THEN CAST(:category AS text) END)
        RETURNING campaign_id, day, channel, state, category
    )
    INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n)
    SELECT campaign_id, day, 'activity', channel, state, 1 FROM made
    UNION ALL
    SELECT campaign_id, day, 'kind', channel, category, 1 FROM made WHERE category IS NOT NULL
""")
# Random ids: they stand in the public draw log, and must not tell when a chance was earned.
_GRANT = text("""
    WITH granted AS (
        INSERT INTO issuance.chance (
            bucket, id, campaign_id, person_id, channel, source_id, source_no, granted_at)
        SELECT :bucket, gen_random_uuid(), :campaign, :person, :channel, :source, source_no, :now
        FROM generate_series(1, CAST(:chances AS integer)) AS source_no
        RETURNING campaign_id, channel
    )
    INSERT INTO core.tally_delta (scope_id, day, measure, dim, n)
    SELECT campaign_id, :day, 'chance', channel, count(*) FROM granted GROUP BY campaign_id, channel
""")
_MINE = text("""
    SELECT a.bucket, a.id, c.slug, a.channel, a.state, a.submitted_at, a.chances_granted,
           CASE WHEN a.state = 'rejected' THEN d.note END
    FROM issuance.activity a
    JOIN core.campaign c ON c.id = a.campaign_id
    LEFT JOIN issuance.activity_decision d ON d.bucket = a.bucket AND d.activity_id = a.id
    WHERE a.bucket = :bucket AND a.person_id = :person
      AND (CAST(:slug AS text) IS NULL OR c.slug = :slug)
      AND (CAST(:before AS timestamptz) IS NULL
           OR (a.submitted_at, a.id) < (CAST(:before AS timestamptz), CAST(:before_id AS uuid)))
    ORDER BY a.submitted_at DESC, a.id DESC LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Terms:
    """Where and how one may take part now: no phase is open without `phase_id`.

    Without `chances` the campaign does not have this way to take part.
    """

    campaign_id: UUID
    status: str
    timezone: str
    phase_id: UUID | None
    chances: int | None
    per_day: int | None
    review: bool | None


@dataclass(frozen=True, slots=True)
class SealedEvidence:
    """What somebody showed, and by what others like it are found (see rules).

    `category` is what kind of share or lead it is; it is kept in clear once it was accepted, to be counted.
    """

    sealed: bytes
    category: str
    subject_hash: bytes
    text_bands: Sequence[int]


@dataclass(frozen=True, slots=True)
class NewActivity:
    address: HotId
    campaign_id: UUID
    phase_id: UUID
    person_id: UUID
    channel: str
    state: str
    day: date
    day_no: int
    submitted_at: datetime
    chances_granted: int
    event_id: UUID | None
    evidence: SealedEvidence | None


@dataclass(frozen=True, slots=True)
class Grant:
    """Chances that an activity earns, counted on the day on which they are granted."""

    activity: HotId
    campaign_id: UUID
    person_id: UUID
    channel: str
    chances: int
    day: date
    at: datetime


@dataclass(frozen=True, slots=True)
class OwnActivity:
    bucket: int
    id: UUID
    slug: str
    channel: str
    state: str
    submitted_at: datetime
    chances_granted: int
    note: str | None


async def terms(tx: Tx, slug: str, channel: str, now: datetime) -> Terms | None:
    """None when there is no such campaign."""
    row = (await tx.execute(_TERMS, {"slug": slug, "channel": channel, "now": now})).one_or_none()
    return None if row is None else Terms(*row)


async def lock_turn(tx: Tx, person: HotId, campaign_id: UUID) -> None:
    """Waits for the person's turn in the campaign, and holds it until the transaction ends."""
    await tx.execute(_TURN, _of(person) | {"campaign": campaign_id})


async def count_of_day(tx: Tx, person: HotId, campaign_id: UUID, channel: str, day: date) -> int:
    """How often the person took part this way on that day, whatever became of it."""
    values = _of(person) | {"campaign": campaign_id, "channel": channel, "day": day}
    return int((await tx.execute(_COUNT, values)).scalar_one())


async def has_checked_in(tx: Tx, person: HotId, event_id: UUID) -> bool:
    return bool((await tx.execute(_CHECKED_IN, _of(person) | {"event": event_id})).scalar_one())


async def insert_activity(tx: Tx, activity: NewActivity) -> None:
    """The activity, and one more in its campaign's figures."""
    evidence = activity.evidence
    await tx.execute(
        _INSERT,
        {
            "bucket": activity.address.bucket,
            "id": activity.address.uuid,
            "campaign": activity.campaign_id,
            "phase": activity.phase_id,
            "person": activity.person_id,
            "channel": activity.channel,
            "state": activity.state,
            "day": activity.day,
            "day_no": activity.day_no,
            "now": activity.submitted_at,
            "chances": activity.chances_granted,
            "event": activity.event_id,
            "evidence": None if evidence is None else evidence.sealed,
            "subject_hash": None if evidence is None else evidence.subject_hash,
            "text_bands": None if evidence is None else list(evidence.text_bands),
            "category": None if evidence is None else evidence.category,
        },
    )


async def grant_chances(tx: Tx, grant: Grant) -> None:
    """The chances, and as many more in the campaign's figures. An activity earns each number once."""
    await tx.execute(
        _GRANT,
        {
            "bucket": grant.activity.bucket,
            "person": grant.person_id,
            "source": grant.activity.uuid,
            "campaign": grant.campaign_id,
            "channel": grant.channel,
            "chances": grant.chances,
            "day": grant.day,
            "now": grant.at,
        },
    )


async def own_activities(
    tx: Tx, person: HotId, slug: str | None, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[OwnActivity]:
    """The person's activities, newest first."""
    before, before_id = after or (None, None)
    values = _of(person) | {"slug": slug, "before": before, "before_id": before_id, "limit": limit}
    return [OwnActivity(*row) for row in await tx.execute(_MINE, values)]


def _of(person: HotId) -> dict[str, Any]:
    return {"bucket": person.bucket, "person": person.uuid}
