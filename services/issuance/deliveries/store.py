"""SQL of deliveries: what each notice needs, and how it travels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.db import Tx
from shared.ids import HotId

# By WeChat where the person has agreed to the template, by SMS where the person wants that kind.
_PLAN = text("""
    WITH told AS (
        SELECT n.bucket, n.id, n.person_id, n.kind
        FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[])) AS u (bucket, id)
        JOIN issuance.notice n ON n.bucket = u.bucket AND n.id = u.id
    )
    INSERT INTO issuance.notice_delivery (bucket, id, notice_id, channel, created_at)
    SELECT told.bucket, gen_random_uuid(), told.id, 'wechat', CAST(:now AS timestamptz)
    FROM told
    JOIN unnest(CAST(:kinds AS text[]), CAST(:templates AS text[])) AS m (kind, template_id)
        ON m.kind = told.kind
    JOIN issuance.notice_grant g ON g.bucket = told.bucket AND g.person_id = told.person_id
                                AND g.template_id = m.template_id AND g.grants_left > 0
    UNION ALL
    SELECT told.bucket, gen_random_uuid(), told.id, 'sms', CAST(:now AS timestamptz)
    FROM told
    JOIN issuance.notice_preference p ON p.bucket = told.bucket AND p.person_id = told.person_id
    WHERE CAST(:sms AS boolean) AND p.sms_enabled AND told.kind = ANY(p.sms_kinds)
    ON CONFLICT DO NOTHING
    RETURNING bucket, id
""")
_LOCK = text("""
    SELECT bucket, id, notice_id, channel, state, attempts FROM issuance.notice_delivery
    WHERE bucket = :bucket AND id = :id AND state IN ('waiting', 'trying')
    FOR UPDATE
""")
_MOVE = text("""
    UPDATE issuance.notice_delivery
    SET state = CAST(:state AS text), outcome = :outcome, not_before = CAST(:not_before AS timestamptz),
        attempts = attempts + CASE WHEN CAST(:state AS text) = 'trying' THEN 1 ELSE 0 END,
        tried_at = CASE WHEN CAST(:state AS text) = 'trying' THEN :now ELSE tried_at END,
        ended_at = CASE WHEN CAST(:state AS text) IN ('sent', 'refused', 'unknown', 'skipped') THEN :now END
    WHERE bucket = :bucket AND id = :id AND state = :expected AND attempts = :attempts
    RETURNING id
""")
_WECHAT_SUBJECTS = text("""
    SELECT id, subject_sealed FROM core.account
    WHERE bucket = :bucket AND person_id = :person AND provider = 'wechat' AND erased_at IS NULL
    ORDER BY created_at DESC
""")
_RESUME = text("""
    UPDATE issuance.notice_delivery d SET state = 'waiting', not_before = NULL
    FROM (SELECT bucket, id FROM issuance.notice_delivery
          WHERE state = 'deferred' AND not_before <= :now
          ORDER BY not_before LIMIT :limit FOR UPDATE SKIP LOCKED) due
    WHERE d.bucket = due.bucket AND d.id = due.id
    RETURNING d.bucket, d.id
""")
_ABOUT = text("""
    SELECT d.bucket, d.id, d.channel, n.kind, n.voucher_id
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[])) AS u (bucket, id)
    JOIN issuance.notice_delivery d ON d.bucket = u.bucket AND d.id = u.id
    JOIN issuance.notice n ON n.bucket = d.bucket AND n.id = d.notice_id
""")


@dataclass(frozen=True, slots=True)
class Delivery:
    bucket: int
    id: UUID
    notice_id: UUID
    channel: str
    state: str
    attempts: int

    @property
    def address(self) -> HotId:
        return HotId(self.bucket, self.id)


@dataclass(frozen=True, slots=True)
class About:
    channel: str
    kind: str
    voucher_id: UUID | None


async def plan(
    tx: Tx, notices: Sequence[HotId], *, templates: Mapping[str, str], sms: bool, now: datetime
) -> list[HotId]:
    """The deliveries that these notices need, with WeChat's template id by kind; each is made once."""
    values = {
        "buckets": [notice.bucket for notice in notices],
        "ids": [notice.uuid for notice in notices],
        "kinds": list(templates),
        "templates": list(templates.values()),
        "sms": sms,
        "now": now,
    }
    return [HotId(*row) for row in await tx.execute(_PLAN, values)]


async def lock(tx: Tx, delivery: HotId) -> Delivery | None:
    """A delivery whose turn it is, locked; None when it is over, put off, or was never there."""
    row = (await tx.execute(_LOCK, {"bucket": delivery.bucket, "id": delivery.uuid})).one_or_none()
    return None if row is None else Delivery(*row)


async def move(
    tx: Tx,
    delivery: Delivery,
    state: str,
    *,
    now: datetime,
    outcome: str | None = None,
    not_before: datetime | None = None,
) -> bool:
    """Compare-and-set from the state and attempt that the caller knows; counts an attempt with `trying`."""
    values = {
        "bucket": delivery.bucket,
        "id": delivery.id,
        "expected": delivery.state,
        "attempts": delivery.attempts,
        "state": state,
        "outcome": outcome,
        "not_before": not_before,
        "now": now,
    }
    return (await tx.execute(_MOVE, values)).one_or_none() is not None


async def wechat_subjects(tx: Tx, owner: HotId) -> list[tuple[UUID, bytes]]:
    """The person's live WeChat accounts, the newest first: id and sealed subject."""
    rows = await tx.execute(_WECHAT_SUBJECTS, _of(owner))
    return [(row.id, row.subject_sealed) for row in rows]


async def resume(tx: Tx, *, now: datetime, limit: int) -> list[HotId]:
    """Deliveries that were put off until now wait again; those that another worker holds are left to it."""
    return [HotId(*row) for row in await tx.execute(_RESUME, {"now": now, "limit": limit})]


async def about(tx: Tx, deliveries: Sequence[HotId]) -> dict[HotId, About]:
    """What these deliveries carry."""
    values = {
        "buckets": [delivery.bucket for delivery in deliveries],
        "ids": [delivery.uuid for delivery in deliveries],
    }
    rows = await tx.execute(_ABOUT, values)
    return {HotId(row.bucket, row.id): About(row.channel, row.kind, row.voucher_id) for row in rows}


def _of(owner: HotId) -> dict[str, Any]:
    return {"bucket": owner.bucket, "person": owner.uuid}
