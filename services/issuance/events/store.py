from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, insert, select, text, tuple_

from services.issuance.events.tables import EventRow
from shared.db import Tx

_TAKE_SEAT = text("""
    UPDATE issuance.event SET seats_taken = seats_taken + 1
    WHERE id = :id AND closed_at IS NULL AND seats_taken < capacity
    RETURNING true
""")
_CLOSE = text(
    "UPDATE issuance.event SET closed_at = :now WHERE id = :id AND closed_at IS NULL RETURNING true"
)
_CHECKED_IN = text("SELECT count(*) FROM issuance.activity WHERE event_id = :id")


@dataclass(frozen=True, slots=True)
class Event:
    id: UUID
    campaign_id: UUID
    channel: str
    name: str
    place: str
    starts_at: datetime
    ends_at: datetime
    capacity: int | None
    seats_taken: int
    rotate_seconds: int | None
    code_sealed: bytes
    closed_at: datetime | None


_EVENT: Select[*tuple[Any, ...]] = select(
    EventRow.id,
    EventRow.campaign_id,
    EventRow.channel,
    EventRow.name,
    EventRow.place,
    EventRow.starts_at,
    EventRow.ends_at,
    EventRow.capacity,
    EventRow.seats_taken,
    EventRow.rotate_seconds,
    EventRow.code_sealed,
    EventRow.closed_at,
)


async def insert_event(tx: Tx, event: Event, *, code_hash: bytes, created_by: UUID, now: datetime) -> None:
    await tx.execute(
        insert(EventRow).values(
            id=event.id,
            campaign_id=event.campaign_id,
            channel=event.channel,
            name=event.name,
            place=event.place,
            starts_at=event.starts_at,
            ends_at=event.ends_at,
            capacity=event.capacity,
            rotate_seconds=event.rotate_seconds,
            code_hash=code_hash,
            code_sealed=event.code_sealed,
            created_by=created_by,
            created_at=now,
        )
    )


async def event_by_id(tx: Tx, event_id: UUID) -> Event | None:
    row = (await tx.execute(_EVENT.where(EventRow.id == event_id))).one_or_none()
    return None if row is None else Event(*row)


async def event_by_code(tx: Tx, campaign_id: UUID, channel: str, code_hash: bytes) -> Event | None:
    """None also for a code of another campaign or channel."""
    statement = _EVENT.where(
        EventRow.code_hash == code_hash, EventRow.campaign_id == campaign_id, EventRow.channel == channel
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Event(*row)


async def page(tx: Tx, campaign_id: UUID, *, limit: int, after: tuple[datetime, UUID] | None) -> list[Event]:
    """Those that begin last come first."""
    statement = _EVENT.where(EventRow.campaign_id == campaign_id)
    if after is not None:
        statement = statement.where(tuple_(EventRow.starts_at, EventRow.id) < after)
    statement = statement.order_by(EventRow.starts_at.desc(), EventRow.id.desc()).limit(limit)
    return [Event(*row) for row in await tx.execute(statement)]


async def take_seat(tx: Tx, event_id: UUID) -> bool:
    """Takes a place of an event with a capacity; False when it is full or closed. Locks the event's row."""
    return (await tx.execute(_TAKE_SEAT, {"id": event_id})).one_or_none() is not None


async def close(tx: Tx, event_id: UUID, now: datetime) -> bool:
    """False when it was closed before."""
    return (await tx.execute(_CLOSE, {"id": event_id, "now": now})).one_or_none() is not None


async def checked_in(tx: Tx, event_id: UUID) -> int:
    return int((await tx.execute(_CHECKED_IN, {"id": event_id})).scalar_one())
