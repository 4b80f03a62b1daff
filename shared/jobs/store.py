from datetime import datetime

from sqlalchemy import text

from shared.db import Tx

_TAKE_TURN = text("""
    INSERT INTO core.schedule AS s (name, next_at) VALUES (:name, :lease_until)
    ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at WHERE s.next_at <= :now
    RETURNING true
""")
_END_TURN = text("""
    UPDATE core.schedule SET next_at = :next_at, last_error = CAST(:error AS text),
           last_finished_at = CASE WHEN CAST(:error AS text) IS NULL THEN :finished_at
                                   ELSE last_finished_at END
    WHERE name = :name
""")
_HEARTBEAT = text("""
    INSERT INTO core.worker (queue, seen_at) VALUES (:queue, :now)
    ON CONFLICT (queue) DO UPDATE SET seen_at = excluded.seen_at
""")


async def take_turn(tx: Tx, name: str, *, now: datetime, lease_until: datetime) -> bool:
    """True for the one worker whose turn it is."""
    values = {"name": name, "now": now, "lease_until": lease_until}
    return bool((await tx.execute(_TAKE_TURN, values)).scalar_one_or_none())


async def end_turn(tx: Tx, name: str, *, next_at: datetime, finished_at: datetime, error: str | None) -> None:
    values = {"name": name, "next_at": next_at, "finished_at": finished_at, "error": error}
    await tx.execute(_END_TURN, values)


async def heartbeat(tx: Tx, queue: str, now: datetime) -> None:
    await tx.execute(_HEARTBEAT, {"queue": queue, "now": now})
