"""Hands due outbox rows to arq.

Redis is only the way to a free worker: a row that gets lost there is due again when its lease ends,
and a Redis that is away only delays.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta
from operator import itemgetter
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from shared.clock import machine_now
from shared.db import TROUBLE, Database
from shared.outbox import store

log = structlog.get_logger(__name__)

RELAY_BATCH = 500
JOB_BATCH = 100
POLL_SECONDS = 0.25
# A row handed over but not begun within this time is handed over again.
HANDOVER_SECONDS = 10


Enqueue = Callable[[str, list[tuple[int, UUID]]], Awaitable[None]]


async def relay_once(database: Database, queue: str, enqueue: Enqueue) -> int:
    """Leases due rows and hands them over, grouped by kind; returns how many."""
    now = machine_now()
    # Asked by the cheap way: this happens all the time, and mostly nothing is due.
    if not await store.anything_due(database, queue, now=now):
        return 0
    async with database.transaction() as tx:
        due = await store.lease_due(
            tx, queue, now=now, lease_until=now + timedelta(seconds=HANDOVER_SECONDS), limit=RELAY_BATCH
        )
    for kind, rows in itertools.groupby(sorted(due, key=itemgetter(2)), key=itemgetter(2)):
        addresses = [(bucket, row_id) for bucket, row_id, _ in rows]
        for start in range(0, len(addresses), JOB_BATCH):
            await enqueue(kind, addresses[start : start + JOB_BATCH])
    return len(due)


async def relay_forever(database: Database, queue: str, enqueue: Enqueue) -> None:
    """Relays until cancelled; trouble with database or Redis is waited out."""
    while True:
        handed_over = 0
        try:
            handed_over = await relay_once(database, queue, enqueue)
        except (*TROUBLE, RedisError) as error:
            log.warning("Outbox not relayed", queue=queue, error=type(error).__name__)
        if handed_over < RELAY_BATCH:
            await asyncio.sleep(POLL_SECONDS)
