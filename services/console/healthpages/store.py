"""Read-only SQL about the database itself."""

from datetime import datetime

from sqlalchemy import text

from shared.db import Tx

# The database's own clock is what is asked for here: it is compared, never used.
_CLOCK = text("SELECT clock_timestamp()")
_SIZE = text("SELECT pg_database_size(current_database())")
_VERSION = text("SHOW server_version")


async def clock(tx: Tx) -> datetime:
    found: datetime = (await tx.execute(_CLOCK)).scalar_one()
    return found


async def size_bytes(tx: Tx) -> int:
    return int((await tx.execute(_SIZE)).scalar_one())


async def version(tx: Tx) -> str:
    return str((await tx.execute(_VERSION)).scalar_one())
