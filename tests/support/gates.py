"""Races without luck: everybody is made to wait at one lock, then let go together."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import make_url

from shared.kit import Kit

T = TypeVar("T")

_POLL_SECONDS = 0.01
# Well below the lock timeout, after which racers would give up by themselves.
_POLLS_MAX = 200
_WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def race_at(
    kit: Kit, lock: str, *values: object, racers: Sequence[Coroutine[Any, Any, T]]
) -> list[T | BaseException]:
    """Executes `lock` in a transaction, waits until every racer waits for it or for another, and commits.

    No more racers than the kit has connections: one that waits for a connection waits for no lock.
    """
    url = make_url(kit.database.url).set(drivername="postgresql")
    holder = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        async with holder.transaction():
            await holder.execute(lock, *values)
            tasks = [asyncio.create_task(racer) for racer in racers]
            await _all_wait(holder, len(tasks))
        return await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await holder.close()


async def _all_wait(holder: asyncpg.Connection, count: int) -> None:
    for _ in range(_POLLS_MAX):
        # Within a transaction the view would show again what it showed first.
        await holder.execute("SELECT pg_stat_clear_snapshot()")
        waiting = await holder.fetchval(_WAITING)
        if waiting == count:
            return
        await asyncio.sleep(_POLL_SECONDS)
    raise TimeoutError(f"{waiting} of {count} racers wait for a lock")
