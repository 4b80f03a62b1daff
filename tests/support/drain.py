"""Runs what waits in the outbox inline, with the service's own jobs; plants what failed."""

import json
from datetime import timedelta
from itertools import groupby
from operator import itemgetter

from sqlalchemy import text

from shared.clock import machine_now
from shared.ids import HotId, new_id
from shared.jobs.kinds import Kind
from shared.jobs.runner import Runner
from shared.jobs.worker import WorkerParts
from shared.kit import Kit
from shared.outbox import store

_DEAD = text("""
    INSERT INTO core.outbox
        (bucket, id, queue, kind, payload, state, attempt, last_error, next_at, created_at)
    VALUES (7, :id, 'redemption', :kind, CAST(:payload AS jsonb), 'dead', 9, 'ConnectError', :now, :now)
""")


async def dead_letter(kit: Kit, kind: Kind, about: dict[str, str] | None = None) -> str:
    """A row that failed too often, about this; returns its id as the API tells it."""
    row_id = new_id()
    payload = json.dumps(about or {"redemption_id": str(new_id())})
    values = {"id": row_id, "kind": kind.value, "payload": payload, "now": kit.clock.now()}
    async with kit.database.transaction() as tx:
        await tx.execute(_DEAD, values)
    return str(HotId(7, row_id))


async def drain(kit: Kit, parts: WorkerParts) -> int:
    """Does every row that is due on this service's queue until none is left; returns how many."""
    runner = Runner(kit.database, {job.kind: job for job in parts.jobs})
    done = 0
    while True:
        now = machine_now()
        async with kit.database.transaction() as tx:
            due = await store.lease_due(
                tx, parts.queue, now=now, lease_until=now + timedelta(seconds=30), limit=500
            )
        if not due:
            return done
        for kind, rows in groupby(sorted(due, key=itemgetter(2)), key=itemgetter(2)):
            done += await runner.run(kind, [(bucket, row_id) for bucket, row_id, _ in rows])
