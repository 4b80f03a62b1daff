from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text

from shared.db import Database, Tx

_TAKE_TURN = text("""
    INSERT INTO core.schedule AS s (name, next_at) VALUES (:name, :lease_until)
    ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at WHERE s.next_at <= :now
    RETURNING true
""")
# A plain read: the statement above locks its row, which is a write and a sync of the log, due or not.
_DUE = """
    SELECT u.name FROM unnest($1::text[]) AS u(name)
    WHERE NOT EXISTS (SELECT FROM core.schedule AS s WHERE s.name = u.name AND s.next_at > $2)
"""
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
_NEW_WALK = text("""
    INSERT INTO core.walk (name, floor_at, ceiling_at, position_at, position_id)
    VALUES (:name, :beginning, :beginning, :beginning, :first) ON CONFLICT DO NOTHING
""")
_LOCK_WALK = text("""
    SELECT ceiling_at, position_at, position_id FROM core.walk WHERE name = :name FOR UPDATE SKIP LOCKED
""")
_MOVE_WALK = text("UPDATE core.walk SET position_at = :at, position_id = :id WHERE name = :name")
_END_WALK = text("""
    UPDATE core.walk SET floor_at = :floor_at, ceiling_at = :ceiling_at, position_at = :floor_at,
                         position_id = :first
    WHERE name = :name
""")

# Before anything that the platform has ever seen.
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a walk, behind which the next batch begins."""

    at: datetime
    id: UUID = _FIRST


@dataclass(frozen=True, slots=True)
class Walked:
    ceiling_at: datetime
    position: Place


async def due(database: Database, names: Sequence[str], *, now: datetime) -> frozenset[str]:
    """Those whose time has come, without a word on who will run them. Asked all the time, so cheaply."""
    return frozenset(row["name"] for row in await database.call(_DUE, names, now))


async def take_turn(tx: Tx, name: str, *, now: datetime, lease_until: datetime) -> bool:
    """True for the one worker whose turn it is."""
    values = {"name": name, "now": now, "lease_until": lease_until}
    return bool((await tx.execute(_TAKE_TURN, values)).scalar_one_or_none())


async def end_turn(tx: Tx, name: str, *, next_at: datetime, finished_at: datetime, error: str | None) -> None:
    values = {"name": name, "next_at": next_at, "finished_at": finished_at, "error": error}
    await tx.execute(_END_TURN, values)


async def heartbeat(tx: Tx, queue: str, now: datetime) -> None:
    await tx.execute(_HEARTBEAT, {"queue": queue, "now": now})


async def lock_walk(tx: Tx, name: str) -> Walked | None:
    """How far a walk has come, locked until the batch commits; None while another worker is at it."""
    await tx.execute(_NEW_WALK, {"name": name, "beginning": BEGINNING, "first": _FIRST})
    row = (await tx.execute(_LOCK_WALK, {"name": name})).one_or_none()
    return None if row is None else Walked(row.ceiling_at, Place(row.position_at, row.position_id))


async def restart_walk(tx: Tx, name: str) -> Walked:
    """Everything is looked at again."""
    await end_walk(tx, name, floor_at=BEGINNING, ceiling_at=BEGINNING)
    return Walked(BEGINNING, Place(BEGINNING))


async def move_walk(tx: Tx, name: str, place: Place) -> None:
    await tx.execute(_MOVE_WALK, {"name": name, "at": place.at, "id": place.id})


async def end_walk(tx: Tx, name: str, *, floor_at: datetime, ceiling_at: datetime) -> None:
    """The pass is over: the next one begins at `floor_at`."""
    values = {"name": name, "floor_at": floor_at, "ceiling_at": ceiling_at, "first": _FIRST}
    await tx.execute(_END_WALK, values)
