"""SQL of reviewing. A decision is one conditional statement; whoever comes second finds it made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.issuance.reviews.rules import HINTS_MAX, LOOK_DISTANCE_MAX, NEARBY, TEXTS_MAX, Reason
from shared.db import Tx
from shared.ids import HotId

_ITEM = """
    SELECT a.bucket, a.id, c.slug, a.channel, a.state, a.submitted_at, a.chances_granted, a.evidence_sealed,
           e.id AS event_id, e.name AS event_name, e.place AS event_place, p.name_masked,
           p.verified_at IS NOT NULL AS verified, d.decided_by, d.decided_at, d.note, k.staff_id, k.expires_at
    FROM issuance.activity a
    LEFT JOIN issuance.activity_claim k ON k.bucket = a.bucket AND k.activity_id = a.id
                                       AND k.expires_at > :now AND a.state = 'pending'
    JOIN core.campaign c ON c.id = a.campaign_id
    LEFT JOIN issuance.event e ON e.id = a.event_id
    LEFT JOIN core.person p ON p.bucket = a.bucket AND p.id = a.person_id
    LEFT JOIN issuance.activity_decision d ON d.bucket = a.bucket AND d.activity_id = a.id
"""
_FITTING = """
    WHERE a.state = :state
      AND (CAST(:slug AS text) IS NULL OR c.slug = :slug)
      AND (CAST(:channel AS text) IS NULL OR a.channel = :channel)
      AND (CAST(:claimed_by AS uuid) IS NULL OR k.staff_id = :claimed_by)
      AND (NOT CAST(:free AS boolean) OR k.staff_id IS NULL)
"""
_PAGE = (
    _ITEM
    + _FITTING
    + """
      AND (CAST(:after AS timestamptz) IS NULL
           OR (a.submitted_at, a.id) {beyond} (CAST(:after AS timestamptz), CAST(:after_id AS uuid)))
    ORDER BY a.submitted_at {order}, a.id {order} LIMIT :limit
"""
)
_HOW_MANY = text(
    """
    SELECT count(*)
    FROM issuance.activity a
    LEFT JOIN issuance.activity_claim k ON k.bucket = a.bucket AND k.activity_id = a.id
                                       AND k.expires_at > :now AND a.state = 'pending'
    JOIN core.campaign c ON c.id = a.campaign_id
"""
    + _FITTING
)
_OLDEST_FIRST = text(_PAGE.format(beyond=">", order="ASC"))
_NEWEST_FIRST = text(_PAGE.format(beyond="<", order="DESC"))
_ONE = text(_ITEM + " WHERE a.bucket = :bucket AND a.id = :id")
_PHOTOS = text("""
    SELECT activity_id, bucket, id, width, height FROM issuance.photo
    WHERE activity_id = ANY(CAST(:activities AS uuid[])) ORDER BY activity_id, position
""")
# The decision, its reason, and the figures that it moves, in one statement: they cannot part.
_DECIDE = text("""
    WITH decided AS (
        UPDATE issuance.activity a
        SET state = :state, chances_granted = CASE WHEN :state = 'accepted' THEN ch.chances ELSE 0 END,
            category = CASE WHEN :state = 'accepted' THEN CAST(:category AS text) END
        FROM issuance.channel ch
        JOIN core.campaign c ON c.id = ch.campaign_id
        WHERE a.bucket = :bucket AND a.id = :id AND a.state = 'pending'
          AND ch.campaign_id = a.campaign_id AND ch.key = a.channel
          AND NOT EXISTS (SELECT FROM issuance.activity_claim k
                          WHERE k.bucket = a.bucket AND k.activity_id = a.id AND k.expires_at > :now
                            AND k.staff_id <> CAST(:staff_id AS uuid))
        RETURNING a.bucket, a.id, a.campaign_id, a.person_id, a.channel, a.day, a.state, a.chances_granted,
                  a.category, c.timezone
    ), unclaimed AS (
        DELETE FROM issuance.activity_claim k USING decided
        WHERE k.bucket = decided.bucket AND k.activity_id = decided.id
    ), noted AS (
        INSERT INTO issuance.activity_decision (bucket, activity_id, state, decided_by, decided_at, note)
        SELECT bucket, id, state, :decided_by, :now, :note FROM decided
    ), counted AS (
        INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n)
        SELECT campaign_id, day, 'activity', channel, 'pending', -1 FROM decided
        UNION ALL
        SELECT campaign_id, day, 'activity', channel, state, 1 FROM decided
        UNION ALL
        SELECT campaign_id, day, 'kind', channel, category, 1 FROM decided WHERE category IS NOT NULL
    )
    SELECT campaign_id, person_id, channel, chances_granted, timezone FROM decided
""")
# Of two reviewers at once each takes others: rows that one looks at are passed over by the other, and a
# claim that was made meanwhile stays.
_CLAIM = text("""
    WITH free AS (
        SELECT a.bucket, a.id, a.submitted_at
        FROM issuance.activity a
        JOIN core.campaign c ON c.id = a.campaign_id
        WHERE a.state = 'pending' AND (CAST(:slug AS text) IS NULL OR c.slug = :slug)
          AND (CAST(:channel AS text) IS NULL OR a.channel = :channel)
          AND NOT EXISTS (SELECT FROM issuance.activity_claim k
                          WHERE k.bucket = a.bucket AND k.activity_id = a.id AND k.expires_at > :now
                            AND k.staff_id <> :staff_id)
        ORDER BY a.submitted_at, a.id LIMIT :limit
        FOR UPDATE OF a SKIP LOCKED
    ), taken AS (
        INSERT INTO issuance.activity_claim AS k (bucket, activity_id, staff_id, expires_at)
        SELECT bucket, id, :staff_id, :until FROM free
        ON CONFLICT (bucket, activity_id)
        DO UPDATE SET staff_id = excluded.staff_id, expires_at = excluded.expires_at
        WHERE k.expires_at <= :now OR k.staff_id = excluded.staff_id
        RETURNING bucket, activity_id
    )
    SELECT free.bucket, free.id FROM free
    JOIN taken ON taken.bucket = free.bucket AND taken.activity_id = free.id
    ORDER BY free.submitted_at, free.id
""")
_RELEASE = text("""
    DELETE FROM issuance.activity_claim
    WHERE bucket = :bucket AND activity_id = :id AND staff_id = :staff_id
""")
_STATE = text("SELECT state FROM issuance.activity WHERE bucket = :bucket AND id = :id")
_LIKE = text("""
    WITH asked AS (
        SELECT a.* FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[])) AS u (bucket, id)
        JOIN issuance.activity a ON a.bucket = u.bucket AND a.id = u.id
    )
    SELECT asked.bucket, asked.id, asked.evidence_sealed, found.reason, d.bucket, d.id, d.state,
           d.submitted_at, d.person_id = asked.person_id, d.evidence_sealed
    FROM asked
    CROSS JOIN LATERAL (
        (SELECT 'same_subject' AS reason, o.bucket, o.id FROM issuance.activity o
         WHERE o.campaign_id = asked.campaign_id AND o.subject_hash = asked.subject_hash
           AND o.channel = asked.channel AND o.id <> asked.id
           AND o.submitted_at BETWEEN asked.submitted_at - CAST(:nearby AS interval)
                               AND asked.submitted_at + CAST(:nearby AS interval)
         ORDER BY o.submitted_at, o.id LIMIT :hints)
        UNION ALL
        (SELECT 'near_text', o.bucket, o.id FROM issuance.activity o
         WHERE o.text_bands && asked.text_bands AND o.campaign_id = asked.campaign_id
           AND o.channel = asked.channel AND o.id <> asked.id
           -- By the index of bands alone: so it stops at the first few, in a flood of alike texts too.
           AND greatest(o.submitted_at, asked.submitted_at) - least(o.submitted_at, asked.submitted_at)
               <= CAST(:nearby AS interval)
         LIMIT :texts)
        UNION ALL
        (SELECT DISTINCT 'same_photo', o.bucket, o.activity_id
         FROM issuance.photo mine JOIN issuance.photo o ON o.content_hash = mine.content_hash
         WHERE mine.activity_id = asked.id AND o.activity_id <> asked.id
         ORDER BY o.activity_id LIMIT :hints)
        UNION ALL
        (SELECT DISTINCT 'near_photo', o.bucket, o.activity_id
         FROM issuance.photo mine JOIN issuance.photo o ON o.look_bands && mine.look_bands
         WHERE mine.activity_id = asked.id AND o.activity_id <> asked.id
           AND o.content_hash <> mine.content_hash
           AND bit_count(CAST(o.look # mine.look AS bit(64))) <= :distance
         ORDER BY o.activity_id LIMIT :hints)
    ) found
    JOIN issuance.activity d ON d.bucket = found.bucket AND d.id = found.id
""")
_SHARE = text("""
    SELECT c.slug, a.evidence_sealed FROM issuance.activity a
    JOIN core.campaign c ON c.id = a.campaign_id
    WHERE a.bucket = :bucket AND a.id = :id AND a.channel = 'share' AND a.state = 'pending'
""")


@dataclass(frozen=True, slots=True)
class Item:
    """An activity as a reviewer sees it: of the person no more than the masked name."""

    bucket: int
    id: UUID
    slug: str
    channel: str
    state: str
    submitted_at: datetime
    chances_granted: int
    evidence_sealed: bytes | None
    event_id: UUID | None
    event_name: str | None
    event_place: str | None
    name_masked: str | None
    verified: bool
    decided_by: str | None
    decided_at: datetime | None
    note: str | None
    claimed_by: UUID | None
    claimed_until: datetime | None

    @property
    def address(self) -> HotId:
        return HotId(self.bucket, self.id)


@dataclass(frozen=True, slots=True)
class Photo:
    activity_id: UUID
    bucket: int
    id: UUID
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Decided:
    campaign_id: UUID
    person_id: UUID
    channel: str
    chances_granted: int
    timezone: str


@dataclass(frozen=True, slots=True)
class Like:
    """Two activities that are alike by one reason, each with its sealed evidence."""

    asked: HotId
    asked_sealed: bytes | None
    reason: Reason
    other: HotId
    state: str
    submitted_at: datetime
    same_person: bool
    other_sealed: bytes | None


@dataclass(frozen=True, slots=True)
class Queue:
    """Which activities: of one state, and of a campaign or a channel where these are given.

    `claimed_by` a reviewer who has them in hand; `free`: that nobody has.
    """

    state: str
    slug: str | None = None
    channel: str | None = None
    claimed_by: UUID | None = None
    free: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision. `staff_id` is the reviewer's, None for the verifier; `category` as it is counted."""

    state: str
    decided_by: str
    note: str | None
    category: str | None
    staff_id: UUID | None


async def page(
    tx: Tx, queue: Queue, now: datetime, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[Item]:
    """What waits, oldest first; what was decided, newest first."""
    moment, row_id = after or (None, None)
    values = _fitting(queue, now) | {"after": moment, "after_id": row_id, "limit": limit}
    statement = _OLDEST_FIRST if queue.state == "pending" else _NEWEST_FIRST
    return [Item(*row) for row in await tx.execute(statement, values)]


async def how_many(tx: Tx, queue: Queue, now: datetime) -> int:
    """Activities of the queue, on all pages together."""
    return int((await tx.execute(_HOW_MANY, _fitting(queue, now))).scalar_one())


def _fitting(queue: Queue, now: datetime) -> dict[str, Any]:
    return {
        "state": queue.state,
        "slug": queue.slug,
        "channel": queue.channel,
        "claimed_by": queue.claimed_by,
        "free": queue.free,
        "now": now,
    }


async def item(tx: Tx, activity: HotId, now: datetime) -> Item | None:
    row = (await tx.execute(_ONE, _of(activity) | {"now": now})).one_or_none()
    return None if row is None else Item(*row)


async def photos_of(tx: Tx, activities: Sequence[HotId]) -> list[Photo]:
    rows = await tx.execute(_PHOTOS, {"activities": [activity.uuid for activity in activities]})
    return [Photo(*row) for row in rows]


async def like(tx: Tx, activities: Sequence[HotId]) -> list[Like]:
    """Others that each of these is like: a few for each reason, the oldest first."""
    values = {
        "buckets": [activity.bucket for activity in activities],
        "ids": [activity.uuid for activity in activities],
        "nearby": NEARBY,
        "distance": LOOK_DISTANCE_MAX,
        "hints": HINTS_MAX,
        "texts": TEXTS_MAX,
    }
    return [
        Like(HotId(row[0], row[1]), row[2], row[3], HotId(row[4], row[5]), *row[6:])
        for row in await tx.execute(_LIKE, values)
    ]


async def decide(tx: Tx, activity: HotId, verdict: Verdict, *, now: datetime) -> Decided | None:
    """Decides an activity that waits, and writes down who and why. Locks it.

    None when it does not wait, or another reviewer has it in hand.
    """
    values = _of(activity) | {
        "state": verdict.state,
        "decided_by": verdict.decided_by,
        "note": verdict.note,
        "category": verdict.category,
        "staff_id": verdict.staff_id,
        "now": now,
    }
    row = (await tx.execute(_DECIDE, values)).one_or_none()
    return None if row is None else Decided(*row)


async def claim(
    tx: Tx, queue: Queue, staff_id: UUID, *, now: datetime, until: datetime, limit: int
) -> list[HotId]:
    """Takes so many that wait into this reviewer's hand, the oldest first. Locks them."""
    values = {
        "slug": queue.slug,
        "channel": queue.channel,
        "staff_id": staff_id,
        "now": now,
        "until": until,
        "limit": limit,
    }
    return [HotId(*row) for row in await tx.execute(_CLAIM, values)]


async def release(tx: Tx, activity: HotId, staff_id: UUID) -> None:
    """Gives it back, if this reviewer has it in hand."""
    await tx.execute(_RELEASE, _of(activity) | {"staff_id": staff_id})


async def state_of(tx: Tx, activity: HotId) -> str | None:
    state: str | None = (await tx.execute(_STATE, _of(activity))).scalar_one_or_none()
    return state


async def waiting_share(tx: Tx, activity: HotId) -> tuple[str, bytes] | None:
    """The campaign and the sealed evidence of a share that waits; None when it does not."""
    row = (await tx.execute(_SHARE, _of(activity))).one_or_none()
    return None if row is None else (row.slug, row.evidence_sealed)


def _of(activity: HotId) -> dict[str, Any]:
    return {"bucket": activity.bucket, "id": activity.uuid}
