"""The demonstration's clock: one offset in the database that every process follows within a second."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from shared.clock import OffsetClock, machine_now
from shared.db import Database, Tx
from shared.errors import Refusal

if TYPE_CHECKING:
    from shared.kit import Kit

log = structlog.get_logger(__name__)

# api.md section 1: every process follows within 1 s.
FOLLOW_SECONDS = 0.4

_READ = text('SELECT "offset" FROM core.demo_clock')
_START = text("""
    INSERT INTO core.demo_clock (only_row, "offset") VALUES (true, :offset) ON CONFLICT DO NOTHING
""")
# Conditional: of two clerks who move it at once, the one behind is refused.
_FORWARD = text("""
    UPDATE core.demo_clock SET "offset" = :offset WHERE "offset" <= :offset RETURNING "offset"
""")


class ClockBackwards(Refusal):
    code = "clock_backwards"
    zh = "平台时钟只能向前拨。"
    en = "The platform's clock can only be moved forward."


async def read_offset(tx: Tx) -> timedelta | None:
    offset: timedelta | None = (await tx.execute(_READ)).scalar_one_or_none()
    return offset


async def start_offset(tx: Tx, clock_start: datetime | None) -> None:
    """Sets where a new demonstration's clock starts; a running one keeps its time."""
    offset = timedelta(0) if clock_start is None else clock_start - machine_now()
    await tx.execute(_START, {"offset": offset})


async def move_forward(tx: Tx, moment: datetime) -> datetime:
    """Raises ClockBackwards when the platform's clock is already past that moment."""
    offset = moment - machine_now()
    moved = (await tx.execute(_FORWARD, {"offset": offset})).scalar_one_or_none()
    if moved is None:
        raise ClockBackwards
    return moment


async def _follow(clock: OffsetClock, database: Database) -> None:
    while True:
        try:
            async with database.snapshot() as tx:
                offset = await read_offset(tx)
            if offset is not None:
                clock.offset = offset
        except (SQLAlchemyError, OSError, TimeoutError) as error:
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
    task = asyncio.create_task(_follow(kit.clock, kit.database))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _first_offset(kit: "Kit") -> timedelta:
    try:
        async with kit.database.transaction() as tx:
            await start_offset(tx, kit.settings.clock_start)
            return await read_offset(tx) or timedelta(0)
    except (SQLAlchemyError, OSError, TimeoutError):
        # Not migrated yet or away: the follower catches up, readiness says so meanwhile.
        start = kit.settings.clock_start
        return timedelta(0) if start is None else start - machine_now()
