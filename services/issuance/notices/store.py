"""SQL of the inbox: what is recorded when, and what a person finds there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import text

from services.issuance.notices.rules import Facts, Kind
from shared.db import Tx
from shared.ids import HotId
from shared.jobs.store import Place

_RECORD_VOUCHERS = text("""
    INSERT INTO issuance.notice (bucket, id, person_id, voucher_id, kind, note, recorded_at)
    SELECT u.bucket, u.id, v.person_id, v.id, u.kind, ch.reason, :now
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[]), CAST(:vouchers AS uuid[]),
                CAST(:kinds AS text[]), CAST(:changes AS uuid[]))
         AS u (bucket, id, voucher_id, kind, change_id)
    JOIN core.voucher v ON v.bucket = u.bucket AND v.id = u.voucher_id
    LEFT JOIN core.change ch ON ch.id = u.change_id
    ON CONFLICT DO NOTHING
    RETURNING bucket, id
""")
_RECORD_DECISIONS = text("""
    INSERT INTO issuance.notice (bucket, id, person_id, activity_id, kind, note, recorded_at)
    SELECT u.bucket, u.id, a.person_id, a.id, 'activity_' || d.state, d.note, :now
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[]), CAST(:activities AS uuid[]))
         AS u (bucket, id, activity_id)
    JOIN issuance.activity a ON a.bucket = u.bucket AND a.id = u.activity_id
    JOIN issuance.activity_decision d ON d.bucket = a.bucket AND d.activity_id = a.id
    ON CONFLICT DO NOTHING
    RETURNING bucket, id
""")
# The three walks below look at a range of an index, and tell of what they find there once.
_REMIND_VOUCHERS = text("""
    WITH due AS MATERIALIZED (
        SELECT bucket, id, person_id, valid_until, issued_at FROM core.voucher
        WHERE (valid_until, id) > (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid))
          AND valid_until <= :until AND state = 'issued'
        ORDER BY valid_until, id LIMIT :limit
    ), told AS (
        INSERT INTO issuance.notice (bucket, id, person_id, voucher_id, kind, days, recorded_at)
        SELECT bucket, gen_random_uuid(), person_id, id, 'expiring', :days, :now FROM due
        WHERE issued_at < valid_until - CAST(:lead AS interval)
        ON CONFLICT DO NOTHING
        RETURNING bucket, id
    ), last AS (
        SELECT valid_until, id FROM due ORDER BY valid_until DESC, id DESC LIMIT 1
    )
    SELECT ARRAY(SELECT bucket FROM told ORDER BY id) AS buckets,
           ARRAY(SELECT id FROM told ORDER BY id) AS ids,
           (SELECT count(*) FROM due) AS found, (SELECT valid_until FROM last) AS last_at,
           (SELECT id FROM last) AS last_id
""")
_TELL_AWARDS = """
    WITH due AS MATERIALIZED (
        SELECT bucket, id, person_id, {column} AS at, won_at, expires_at FROM issuance.award
        WHERE ({column}, id) > (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid))
          AND {column} <= :until AND state = 'open'
        ORDER BY {column}, id LIMIT :limit
    ), told AS (
        INSERT INTO issuance.notice (bucket, id, person_id, award_id, kind, recorded_at)
        SELECT bucket, gen_random_uuid(), person_id, id, '{kind}', :now FROM due
        WHERE expires_at > :now AND won_at < expires_at - CAST(:lead AS interval)
        ON CONFLICT DO NOTHING
        RETURNING bucket, id
    ), last AS (
        SELECT at, id FROM due ORDER BY at DESC, id DESC LIMIT 1
    )
    SELECT ARRAY(SELECT bucket FROM told ORDER BY id) AS buckets,
           ARRAY(SELECT id FROM told ORDER BY id) AS ids,
           (SELECT count(*) FROM due) AS found, (SELECT at FROM last) AS last_at,
           (SELECT id FROM last) AS last_id
"""
_TELL_WON = text(_TELL_AWARDS.format(column="won_at", kind="award_won"))
_REMIND_AWARDS = text(_TELL_AWARDS.format(column="expires_at", kind="award_expiring"))
_FACTS = """
    SELECT n.bucket, n.id, n.kind, n.recorded_at, n.days, n.note, n.voucher_id, n.award_id, n.activity_id,
           c.slug, c.title, c.timezone, t.name, coalesce(v.valid_until, a.expires_at) AS until,
           CASE WHEN n.kind = 'expiring' THEN v.state = 'issued'
                WHEN n.award_id IS NOT NULL THEN a.state = 'open' ELSE true END AS holds,
           n.person_id
    FROM issuance.notice n
    LEFT JOIN core.voucher v ON v.bucket = n.bucket AND v.id = n.voucher_id
    LEFT JOIN issuance.award a ON a.bucket = n.bucket AND a.id = n.award_id
    LEFT JOIN issuance.activity act ON act.bucket = n.bucket AND act.id = n.activity_id
    JOIN core.campaign c ON c.id = coalesce(v.campaign_id, a.campaign_id, act.campaign_id)
    LEFT JOIN core.voucher_type t ON t.campaign_id = v.campaign_id AND t.key = v.voucher_type
"""
_ONE = text(_FACTS + " WHERE n.bucket = :bucket AND n.id = :id")
_INBOX = text(
    _FACTS
    + """
    WHERE n.bucket = :bucket AND n.person_id = :person
      AND (CAST(:before_at AS timestamptz) IS NULL
           OR (n.recorded_at, n.id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS uuid)))
    ORDER BY n.recorded_at DESC, n.id DESC LIMIT :limit
"""
)
_MARK = text(
    "SELECT read_at, read_id FROM issuance.inbox_mark WHERE bucket = :bucket AND person_id = :person"
)
# Bounded, as a badge is: whoever has more has many.
_UNREAD = text("""
    SELECT count(*) FROM (
        SELECT FROM issuance.notice n
        WHERE n.bucket = :bucket AND n.person_id = :person
          AND (CAST(:read_at AS timestamptz) IS NULL
               OR (n.recorded_at, n.id) > (CAST(:read_at AS timestamptz), CAST(:read_id AS uuid)))
        ORDER BY n.recorded_at DESC, n.id DESC LIMIT :most) AS unread
""")
_PLACE = text("""
    SELECT recorded_at, id FROM issuance.notice WHERE bucket = :bucket AND id = :id AND person_id = :person
""")
_SET_MARK = text("""
    INSERT INTO issuance.inbox_mark AS k (bucket, person_id, read_at, read_id)
    VALUES (:bucket, :person, :read_at, :read_id)
    ON CONFLICT (bucket, person_id) DO UPDATE SET read_at = excluded.read_at, read_id = excluded.read_id
    WHERE (k.read_at, k.read_id) < (excluded.read_at, excluded.read_id)
""")


@dataclass(frozen=True, slots=True)
class Cause:
    """An outbox row that causes a notice: its id becomes the notice's; `change_id` names the reason."""

    id: UUID
    subject: HotId
    kind: str = ""
    change_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a batch of a walk told, and where it stopped (None: at the end)."""

    notices: list[HotId]
    reached: Place | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A notice with what it is about; `holds`: what it reminds of is still so."""

    address: HotId
    person_id: UUID
    recorded_at: datetime
    slug: str
    voucher_id: UUID | None
    award_id: UUID | None
    activity_id: UUID | None
    holds: bool
    facts: Facts


async def record_vouchers(tx: Tx, causes: Sequence[Cause], now: datetime) -> list[HotId]:
    """Writes those that are not recorded yet, and returns them."""
    values = _of(causes) | {
        "vouchers": [cause.subject.uuid for cause in causes],
        "kinds": [cause.kind for cause in causes],
        "changes": [cause.change_id for cause in causes],
        "now": now,
    }
    return [HotId(*row) for row in await tx.execute(_RECORD_VOUCHERS, values)]


async def record_decisions(tx: Tx, causes: Sequence[Cause], now: datetime) -> list[HotId]:
    """The same for reviewed activities: with how they were decided, and the reason."""
    values = _of(causes) | {"activities": [cause.subject.uuid for cause in causes], "now": now}
    return [HotId(*row) for row in await tx.execute(_RECORD_DECISIONS, values)]


async def remind_vouchers(
    tx: Tx, after: Place, until: datetime, *, days: int, lead: timedelta, now: datetime, limit: int
) -> Told:
    """Tells of vouchers behind a place that end by `until`; those issued with less time are left out."""
    values = _range(after, until, now, limit) | {"days": days, "lead": lead}
    return await _walked(tx, _REMIND_VOUCHERS, values, limit)


async def tell_won(tx: Tx, after: Place, until: datetime, *, now: datetime, limit: int) -> Told:
    """Tells of awards won behind a place that wait to be claimed."""
    values = _range(after, until, now, limit) | {"lead": timedelta()}
    return await _walked(tx, _TELL_WON, values, limit)


async def remind_awards(
    tx: Tx, after: Place, until: datetime, *, lead: timedelta, now: datetime, limit: int
) -> Told:
    """Tells of open awards behind a place that end by `until`; shorter ones are told when they are won."""
    values = _range(after, until, now, limit) | {"lead": lead}
    return await _walked(tx, _REMIND_AWARDS, values, limit)


async def entry(tx: Tx, notice: HotId) -> Entry | None:
    row = (await tx.execute(_ONE, {"bucket": notice.bucket, "id": notice.uuid})).one_or_none()
    return None if row is None else _entry(row)


async def inbox(tx: Tx, owner: HotId, *, before: tuple[datetime, UUID] | None, limit: int) -> list[Entry]:
    """A person's notices, the newest first, from behind a position."""
    before_at, before_id = before or (None, None)
    values = {
        "bucket": owner.bucket,
        "person": owner.uuid,
        "before_at": before_at,
        "before_id": before_id,
        "limit": limit,
    }
    return [_entry(row) for row in await tx.execute(_INBOX, values)]


async def mark(tx: Tx, owner: HotId) -> Place | None:
    """Up to where the person has read; None: nothing yet."""
    row = (await tx.execute(_MARK, {"bucket": owner.bucket, "person": owner.uuid})).one_or_none()
    return None if row is None else Place(*row)


async def unread(tx: Tx, owner: HotId, read: Place | None, *, most: int) -> int:
    """How many notices lie behind the mark, at most so many."""
    values = {
        "bucket": owner.bucket,
        "person": owner.uuid,
        "read_at": read and read.at,
        "read_id": read and read.id,
        "most": most,
    }
    return int((await tx.execute(_UNREAD, values)).scalar_one())


async def place_of(tx: Tx, owner: HotId, notice: HotId) -> Place | None:
    """Where one of the person's notices lies; None when it is not the person's."""
    values = {"bucket": notice.bucket, "id": notice.uuid, "person": owner.uuid}
    row = (await tx.execute(_PLACE, values)).one_or_none()
    return None if row is None or notice.bucket != owner.bucket else Place(*row)


async def set_mark(tx: Tx, owner: HotId, read: Place) -> None:
    """Moves the mark on; it never goes back."""
    values = {"bucket": owner.bucket, "person": owner.uuid, "read_at": read.at, "read_id": read.id}
    await tx.execute(_SET_MARK, values)


def _entry(row: Any) -> Entry:  # noqa: ANN401 - a row
    return Entry(
        address=HotId(row.bucket, row.id),
        person_id=row.person_id,
        recorded_at=row.recorded_at,
        slug=row.slug,
        voucher_id=row.voucher_id,
        award_id=row.award_id,
        activity_id=row.activity_id,
        holds=row.holds,
        facts=Facts(
            kind=cast("Kind", row.kind),
            campaign=row.title,
            timezone=row.timezone,
            name=row.name,
            until=row.until,
            days=row.days,
            note=row.note,
        ),
    )


def _of(causes: Sequence[Cause]) -> dict[str, Any]:
    return {
        "buckets": [cause.subject.bucket for cause in causes],
        "ids": [cause.id for cause in causes],
    }


def _range(after: Place, until: datetime, now: datetime, limit: int) -> dict[str, Any]:
    return {"after_at": after.at, "after_id": after.id, "until": until, "now": now, "limit": limit}


async def _walked(tx: Tx, statement: Any, values: dict[str, Any], limit: int) -> Told:  # noqa: ANN401 - a statement
    row = (await tx.execute(statement, values)).one()
    told = [HotId(bucket, notice) for bucket, notice in zip(row.buckets, row.ids, strict=True)]
    return Told(told, None if row.found < limit else Place(row.last_at, row.last_id))
