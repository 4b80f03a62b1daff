"""Read-only SQL of what operators watch: rows that nobody delivers, workers, periodic work, sessions."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Watch:
    """`dead` by queue and kind, `seen` by queue (machine time), `failing` by the name of periodic work."""

    dead: dict[tuple[str, str], int]
    seen: dict[str, datetime]
    failing: dict[str, bool]
    sessions: int


_DEAD = text("SELECT queue, kind, count(*) AS n FROM core.outbox WHERE state = 'dead' GROUP BY queue, kind")
_SEEN = text("SELECT queue, seen_at FROM core.worker")
_FAILING = text("SELECT name, last_error IS NOT NULL AS failing FROM core.schedule")
_SESSIONS = text("SELECT count(*) FROM core.staff_session WHERE revoked_at IS NULL AND expires_at > :now")


async def watch(tx: Tx, now: datetime) -> Watch:
    return Watch(
        dead={(row.queue, row.kind): row.n for row in await tx.execute(_DEAD)},
        seen={row.queue: row.seen_at for row in await tx.execute(_SEEN)},
        failing={row.name: row.failing for row in await tx.execute(_FAILING)},
        sessions=(await tx.execute(_SESSIONS, {"now": now})).scalar_one(),
    )
