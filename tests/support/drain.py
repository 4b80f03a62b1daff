"""Runs what waits in the outbox inline, with the real runner and the service's own jobs."""

from datetime import timedelta
from itertools import groupby
from operator import itemgetter

from shared.clock import machine_now
from shared.jobs.runner import Runner
from shared.jobs.worker import WorkerParts
from shared.kit import Kit
from shared.outbox import store


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
