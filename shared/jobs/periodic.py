"""Periodic work, once for all workers: the schedule row in Postgres decides who runs it and when."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog

from shared.clock import machine_now
from shared.db import TROUBLE, Database
from shared.jobs import store
from shared.jobs.handlers import Periodic

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.25
# While one worker runs it nobody else does; a worker that died leaves it to others after this time.
LEASE = timedelta(seconds=130)


async def run_due(database: Database, periodic: Periodic) -> bool:
    """Runs it when it is due and nobody else is at it; returns whether it ran."""
    now = machine_now()
    async with database.transaction() as tx:
        if not await store.take_turn(tx, periodic.name, now=now, lease_until=now + LEASE):
            return False
    error: str | None = None
    try:
        await periodic.run()
    except Exception as failure:
        error = f"{type(failure).__name__}: {failure}"
        log.warning("Periodic job failed", job=periodic.name, exc_info=failure)
    finished = machine_now()
    async with database.transaction() as tx:
        await store.end_turn(
            tx, periodic.name, next_at=finished + periodic.every, finished_at=finished, error=error
        )
    return True


async def run_forever(database: Database, periodics: Sequence[Periodic]) -> None:
    """Looks every `TICK_SECONDS`; while nothing is due it only reads."""
    while True:
        for periodic in await _due(database, periodics):
            try:
                await run_due(database, periodic)
            except TROUBLE as error:
                log.warning("Periodic job not started", job=periodic.name, error=type(error).__name__)
        await asyncio.sleep(TICK_SECONDS)


async def _due(database: Database, periodics: Sequence[Periodic]) -> list[Periodic]:
    try:
        names = await store.due(database, [periodic.name for periodic in periodics], now=machine_now())
    except TROUBLE as error:
        log.warning("Schedule not read", error=type(error).__name__)
        return []
    return [periodic for periodic in periodics if periodic.name in names]
