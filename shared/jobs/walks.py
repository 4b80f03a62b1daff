"""Periodic work along a column of time, in bounded batches: each pass looks only at what is new.

A walk remembers how far it came, so that a pass costs nothing when nothing is due, one that was interrupted
goes on where it stopped, and of two workers one does it. Everything is looked at by two passes: a row whose
transaction was under way during the first is found by the second. So a step must be safe to run twice.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from shared.db import Database, Tx
from shared.jobs import store
from shared.jobs.store import Place


@dataclass(frozen=True, slots=True)
class Stride:
    """What a batch did: how many, and where it stopped (None: it came to the end)."""

    done: int
    reached: Place | None


# Does the next batch behind a place and up to a moment, in the given transaction.
Step = Callable[[Tx, Place, datetime], Awaitable[Stride]]


async def walk(database: Database, name: str, *, until: Callable[[], datetime], step: Step) -> int:
    """One pass up to `until()`, a moment of the walked column; returns how many were done.

    A clock that went back begins anew. Does nothing while another worker is at it.
    """
    done = 0
    while True:
        async with database.transaction(slow=True) as tx:
            walked = await store.lock_walk(tx, name)
            if walked is None:
                return done
            end = until()
            if end < walked.ceiling_at:
                walked = await store.restart_walk(tx, name)
            stride = await step(tx, walked.position, end)
            done += stride.done
            if stride.reached is None:
                await store.end_walk(tx, name, floor_at=walked.ceiling_at, ceiling_at=end)
                return done
            await store.move_walk(tx, name, stride.reached)
