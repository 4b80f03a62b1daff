"""The demonstration's clock: one offset in the database that every process follows within a second."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from shared.clock import OffsetClock, machine_now, store
from shared.db import TROUBLE, Tx
from shared.errors import Refusal

if TYPE_CHECKING:
    from shared.kit import Kit

log = structlog.get_logger(__name__)

# api.md section 1: every process follows within 1 s.
FOLLOW_SECONDS = 0.4


class ClockBackwards(Refusal):
    code = "clock_backwards"
    zh = "平台时钟只能向前拨。"
    en = "The platform's clock can only be moved forward."


async def move_forward(tx: Tx, moment: datetime, *, now: datetime) -> timedelta:
    """Moves the platform's clock, which shows `now`, to that moment; returns its lead over the machine's.

    Raises:
        ClockBackwards: it is already past that moment.
    """
    machine = machine_now()
    offset = moment - machine
    await store.start_offset(tx, now - machine)
    if not await store.raise_offset(tx, offset):
        raise ClockBackwards
    return offset


async def _follow(clock: OffsetClock, kit: "Kit") -> None:
    while True:
        try:
            offset = await store.offset_now(kit.database)
            # No row: the database was away at the start, or is new.
            clock.offset = await _first_offset(kit) if offset is None else offset
        except TROUBLE as error:
            # The database is away; requests say so themselves, the clock keeps its last offset.
            log.debug("Demo clock not read", error=type(error).__name__)
        await asyncio.sleep(FOLLOW_SECONDS)


@asynccontextmanager
async def following_clock(kit: "Kit") -> AsyncIterator[None]:
    """Keeps an OffsetClock at the platform's time while the block runs; does nothing for other clocks."""
    if not isinstance(kit.clock, OffsetClock):
        yield
        return
    kit.clock.offset = await _first_offset(kit)
    task = asyncio.create_task(_follow(kit.clock, kit))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _first_offset(kit: "Kit") -> timedelta:
    start = kit.settings.clock_start
    offset = timedelta(0) if start is None else start - machine_now()
    try:
        async with kit.database.transaction() as tx:
            await store.start_offset(tx, offset)
            return await store.read_offset(tx) or offset
    except TROUBLE:
        # Not migrated yet or away: the follower catches up, readiness says so meanwhile.
        return offset
