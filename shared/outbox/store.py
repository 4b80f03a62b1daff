"""SQL of the outbox. Hot SQL functions insert their rows themselves, with the same columns."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.clock import machine_now
from shared.db import Database, Tx
from shared.ids import new_id

_ADD = text("""
    INSERT INTO core.outbox (bucket, id, queue, kind, payload, next_at, created_at)
    SELECT bucket, id, queue, kind, CAST(payload AS jsonb), :now, :now
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[]), CAST(:queues AS text[]),
                CAST(:kinds AS text[]), CAST(:payloads AS text[]))
         AS u (bucket, id, queue, kind, payload)
""")
# A due row is leased to one relay by moving its next_at on: when nobody finishes it, it is due again.
_LEASE_DUE = text("""
    UPDATE core.outbox o SET next_at = :lease_until
    FROM (SELECT bucket, id FROM core.outbox
          WHERE queue = :queue AND state = 'ready' AND next_at <= :now
          ORDER BY next_at LIMIT :limit FOR UPDATE SKIP LOCKED) due
    WHERE o.bucket = due.bucket AND o.id = due.id
    RETURNING o.bucket, o.id, o.kind
""")
_ANYTHING_DUE = """
    SELECT EXISTS (SELECT FROM core.outbox WHERE queue = $1 AND state = 'ready' AND next_at <= $2) AS due
"""
_BEGIN = text("""
    UPDATE core.outbox o SET attempt = attempt + 1, next_at = :lease_until
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[])) AS u (bucket, id)
    WHERE o.bucket = u.bucket AND o.id = u.id AND o.state = 'ready' AND o.kind = :kind
    RETURNING o.bucket, o.id, o.kind, o.payload, o.attempt, o.created_at
""")
# Fenced by the attempt: a worker that was thought dead cannot finish what another has taken over.
_FINISH = text("""
    DELETE FROM core.outbox o
    USING unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[]), CAST(:attempts AS bigint[]))
        AS u (bucket, id, attempt)
    WHERE o.bucket = u.bucket AND o.id = u.id AND o.attempt = u.attempt AND o.state = 'ready'
    RETURNING o.id
""")
_RENEW = text("""
    UPDATE core.outbox SET next_at = :lease_until
    WHERE bucket = :bucket AND id = :id AND attempt = :attempt AND state = 'ready'
    RETURNING true
""")
_RETRY = text("""
    UPDATE core.outbox SET next_at = :next_at, last_error = :error,
           state = CASE WHEN :dead THEN 'dead' ELSE 'ready' END
    WHERE bucket = :bucket AND id = :id AND attempt = :attempt AND state = 'ready'
""")
_PENDING = text("""
    SELECT count(*) FILTER (WHERE state = 'ready') AS waiting, count(*) FILTER (WHERE state = 'dead') AS dead,
           min(created_at) FILTER (WHERE state = 'ready') AS oldest
    FROM core.outbox
""")
# Dead rows are few: somebody looks at each.
_DEAD_PAGE = text("""
    SELECT bucket, id, kind, payload, attempt, last_error, created_at FROM core.outbox
    WHERE state = 'dead' AND kind = ANY(CAST(:kinds AS text[])) AND payload @> CAST(:about AS jsonb)
      AND (CAST(:after_at AS timestamptz) IS NULL
           OR (created_at, id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
    ORDER BY created_at DESC, id DESC LIMIT :limit
""")
_REVIVE = text("""
    UPDATE core.outbox SET state = 'ready', attempt = 0, next_at = :now
    WHERE bucket = :bucket AND id = :id AND state = 'dead' AND kind = ANY(CAST(:kinds AS text[]))
    RETURNING bucket, id, kind, payload, attempt, last_error, created_at
""")
_DEAD_COUNT = text("""
    SELECT count(*) FROM core.outbox
    WHERE state = 'dead' AND kind = ANY(CAST(:kinds AS text[])) AND payload @> CAST(:about AS jsonb)
""")
_PUT_ASIDE = text("""
    DELETE FROM core.outbox WHERE bucket = :bucket AND id = :id AND state = 'dead'
    RETURNING bucket, id, kind, payload, attempt, last_error, created_at
""")


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A row as its handler sees it. `payload` holds ids only; `attempt` counts from 1."""

    bucket: int
    id: UUID
    kind: str
    payload: dict[str, Any]
    attempt: int
    created_at: datetime = field(default_factory=machine_now)


@dataclass(frozen=True, slots=True)
class DeadRow:
    """A row that failed too often and waits for staff."""

    bucket: int
    id: UUID
    kind: str
    payload: dict[str, Any]
    attempt: int
    error: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    waiting: int
    dead: int
    oldest: datetime | None


async def add_many(tx: Tx, queue: str, kind: str, rows: Sequence[tuple[int, dict[str, Any]]]) -> None:
    """Adds one row for each (bucket, payload), in the caller's transaction."""
    await tx.execute(
        _ADD,
        {
            "buckets": [bucket for bucket, _ in rows],
            "ids": [new_id() for _ in rows],
            "queues": [queue] * len(rows),
            "kinds": [kind] * len(rows),
            "payloads": [json.dumps(payload) for _, payload in rows],
            "now": machine_now(),
        },
    )


async def add(tx: Tx, queue: str, kind: str, payload: dict[str, Any], *, bucket: int = 0) -> None:
    await add_many(tx, queue, kind, [(bucket, payload)])


async def anything_due(database: Database, queue: str, *, now: datetime) -> bool:
    [row] = await database.call(_ANYTHING_DUE, queue, now)
    return bool(row["due"])


async def lease_due(
    tx: Tx, queue: str, *, now: datetime, lease_until: datetime, limit: int
) -> list[tuple[int, UUID, str]]:
    """Takes due rows, oldest first: (bucket, id, kind). Rows that another relay holds are skipped."""
    values = {"queue": queue, "now": now, "lease_until": lease_until, "limit": limit}
    return [tuple(row) for row in (await tx.execute(_LEASE_DUE, values))]


async def begin(
    tx: Tx, kind: str, addresses: Sequence[tuple[int, UUID]], lease_until: datetime
) -> list[OutboxItem]:
    """Starts an attempt at these rows; those done or dead meanwhile are left out."""
    values = {
        "kind": kind,
        "buckets": [bucket for bucket, _ in addresses],
        "ids": [row_id for _, row_id in addresses],
        "lease_until": lease_until,
    }
    return [OutboxItem(*row) for row in (await tx.execute(_BEGIN, values))]


async def finish(tx: Tx, items: Sequence[OutboxItem]) -> set[UUID]:
    """Deletes what was done, in the transaction of its effect; returns the ids that were still ours."""
    values = {
        "buckets": [item.bucket for item in items],
        "ids": [item.id for item in items],
        "attempts": [item.attempt for item in items],
    }
    return set((await tx.execute(_FINISH, values)).scalars())


async def renew(tx: Tx, item: OutboxItem, *, lease_until: datetime) -> bool:
    """Keeps a long attempt ours; False when another worker has taken it over."""
    values = {"bucket": item.bucket, "id": item.id, "attempt": item.attempt, "lease_until": lease_until}
    return bool((await tx.execute(_RENEW, values)).scalar_one_or_none())


async def retry(tx: Tx, item: OutboxItem, *, next_at: datetime, error: str, dead: bool) -> None:
    """Puts a failed attempt back for later, or aside for staff when it failed too often."""
    await tx.execute(
        _RETRY,
        {
            "bucket": item.bucket,
            "id": item.id,
            "attempt": item.attempt,
            "next_at": next_at,
            "error": error[:500],
            "dead": dead,
        },
    )


async def backlog(tx: Tx) -> Backlog:
    row = (await tx.execute(_PENDING)).one()
    return Backlog(waiting=row.waiting, dead=row.dead, oldest=row.oldest)


async def dead_page(
    tx: Tx,
    kinds: Sequence[str],
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
    about: Mapping[str, str] | None = None,
) -> list[DeadRow]:
    """Rows of these kinds that failed too often, the newest first, from behind a place.

    `about` are ids that their payloads have to hold.
    """
    after_at, after_id = after or (None, None)
    values = {
        "kinds": list(kinds),
        "about": json.dumps(dict(about or {})),
        "after_at": after_at,
        "after_id": after_id,
        "limit": limit,
    }
    return [DeadRow(*row) for row in await tx.execute(_DEAD_PAGE, values)]


async def revive(tx: Tx, kinds: Sequence[str], bucket: int, row_id: UUID) -> DeadRow | None:
    """A dead row of these kinds is due again, with all its attempts; None when it is not dead (any more)."""
    values = {"kinds": list(kinds), "bucket": bucket, "id": row_id, "now": machine_now()}
    row = (await tx.execute(_REVIVE, values)).one_or_none()
    return None if row is None else DeadRow(*row)


async def dead_count(tx: Tx, kinds: Sequence[str], about: Mapping[str, str] | None = None) -> int:
    """How many `dead_page` has, on all its pages."""
    values = {"kinds": list(kinds), "about": json.dumps(dict(about or {}))}
    return int((await tx.execute(_DEAD_COUNT, values)).scalar_one())


async def put_aside(tx: Tx, bucket: int, row_id: UUID) -> DeadRow | None:
    """Deletes a dead row, which is never done; None when it is not dead (any more)."""
    row = (await tx.execute(_PUT_ASIDE, {"bucket": bucket, "id": row_id})).one_or_none()
    return None if row is None else DeadRow(*row)
