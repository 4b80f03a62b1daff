from datetime import timedelta

from sqlalchemy import text

from shared.db import Database, Tx

_OFFSET = 'SELECT "offset" FROM core.demo_clock'
_READ = text(_OFFSET)
_START = text("""
    INSERT INTO core.demo_clock (only_row, "offset") VALUES (true, :offset) ON CONFLICT DO NOTHING
""")
# Conditional: of two clerks who move it at once, the one behind is refused.
_FORWARD = text("""
    UPDATE core.demo_clock SET "offset" = :offset WHERE "offset" <= :offset RETURNING "offset"
""")


async def read_offset(tx: Tx) -> timedelta | None:
    """How far the platform's clock is ahead of the machine's; None before a demonstration's first start."""
    offset: timedelta | None = (await tx.execute(_READ)).scalar_one_or_none()
    return offset


async def offset_now(database: Database) -> timedelta | None:
    """The same for a process that follows: asked all the time, so by the cheap way."""
    rows = await database.call(_OFFSET)
    return rows[0]["offset"] if rows else None


async def start_offset(tx: Tx, offset: timedelta) -> None:
    """Sets where a new demonstration's clock starts; a running one keeps its time."""
    await tx.execute(_START, {"offset": offset})


async def raise_offset(tx: Tx, offset: timedelta) -> bool:
    """False when the clock is already further ahead."""
    return (await tx.execute(_FORWARD, {"offset": offset})).scalar_one_or_none() is not None
