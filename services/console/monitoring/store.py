"""Read-only SQL of what operators watch: rows that nobody delivers, jobs, workers, sessions."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from shared.db import Tx

# Long enough to be seen by whoever comes in the morning; then the job centre remembers it.
_FAILED_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Watch:
    """`dead` by queue and kind, `seen` by queue (machine time), `failing` by the name of periodic work.

    `due` is since when the row that is due longest waits for its queue's workers (machine time);
    `failed_jobs` are those of the last day, by kind, with a zero for each kind that was ever asked for.
    """

    dead: dict[tuple[str, str], int]
    due: dict[str, datetime]
    failed_jobs: dict[str, int]
    seen: dict[str, datetime]
    failing: dict[str, bool]
    sessions: int


_DEAD = text("SELECT queue, kind, count(*) AS n FROM core.outbox WHERE state = 'dead' GROUP BY queue, kind")
# A row that is being done has its next_at ahead of it: what is found here nobody has taken.
_DUE = text("""
    SELECT queue, min(next_at) AS since FROM core.outbox
    WHERE state = 'ready' AND next_at <= :machine_now GROUP BY queue
""")
_FAILED_JOBS = text("""
    SELECT kind, count(*) FILTER (WHERE state = 'failed' AND finished_at > :since) AS n
    FROM core.job GROUP BY kind
""")
_SEEN = text("SELECT queue, seen_at FROM core.worker")
_FAILING = text("SELECT name, last_error IS NOT NULL AS failing FROM core.schedule")
_SESSIONS = text("SELECT count(*) FROM core.staff_session WHERE revoked_at IS NULL AND expires_at > :now")


async def watch(tx: Tx, now: datetime, *, machine_now: datetime) -> Watch:
    due = await tx.execute(_DUE, {"machine_now": machine_now})
    failed = await tx.execute(_FAILED_JOBS, {"since": now - _FAILED_WITHIN})
    return Watch(
        dead={(row.queue, row.kind): row.n for row in await tx.execute(_DEAD)},
        due={row.queue: row.since for row in due},
        failed_jobs={row.kind: row.n for row in failed},
        seen={row.queue: row.seen_at for row in await tx.execute(_SEEN)},
        failing={row.name: row.failing for row in await tx.execute(_FAILING)},
        sessions=(await tx.execute(_SESSIONS, {"now": now})).scalar_one(),
    )
