from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select, text

from services.quota.cards.rules import CardKind, Outcome, StageKind
from services.quota.cards.tables import (
    CardAssignmentRow,
    CardCreditRow,
    CardEventKeyRow,
    CardRow,
    CardStageRow,
    CardVoidRow,
)
from services.quota.hospitals.tables import HospitalRow
from services.quota.qrcodes.tables import HospitalCodeRow
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Unattributed:
    event_id: str
    opened_at: datetime
    scene: str | None


@dataclass(frozen=True, slots=True)
class Address:
    """Where an event's person lives."""

    programme_id: UUID
    bucket: int
    holder_hash: bytes
    event_id: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """`hospital_id` is whose event it is now: an assignment goes before the code's hospital."""

    event_id: str
    place: int
    kind: CardKind
    scene: str | None
    code_hospital_id: str | None
    hospital_id: str | None
    at: datetime
    received_at: datetime
    source: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Credit:
    measure: Literal["card", "card_used", "card_void"]
    hospital_id: str
    day: date
    n: int
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Card:
    state: Literal["none", "active", "cancelled"]
    hospital_id: str | None
    event_id: str | None
    opened_at: datetime | None
    used: bool


@dataclass(frozen=True, slots=True)
class Assigned:
    hospital_id: str
    reason: str
    change_id: UUID
    assigned_at: datetime


@dataclass(frozen=True, slots=True)
class Stage:
    """A landing or an application."""

    kind: StageKind
    scene: str | None
    hospital_id: str | None
    at: datetime
    received_at: datetime
    source: str


_ASSIGN = text("""
    SELECT quota.assign_card(:programme, CAST(:event_bucket AS smallint), :event_id, :hospital, :reason,
                             :change, :now)
""")
_UNATTRIBUTED = text("""
    SELECT c.event_id, c.opened_at, e.scene
    FROM quota.card c
    JOIN quota.card_event e ON e.bucket = c.bucket AND e.programme_id = c.programme_id
     AND e.holder_hash = c.holder_hash AND e.event_id = c.event_id
    WHERE c.programme_id = :programme AND c.state = 'active' AND c.hospital_id IS NULL
      AND (c.opened_at, c.event_id) > (:after_at, :after_id)
      AND (CAST(:search AS text) IS NULL OR strpos(c.event_id, :search) > 0 OR strpos(e.scene, :search) > 0)
    ORDER BY c.opened_at, c.event_id LIMIT :limit
""")
_UNATTRIBUTED_COUNT = text("""
    SELECT count(*)
    FROM quota.card c
    JOIN quota.card_event e ON e.bucket = c.bucket AND e.programme_id = c.programme_id
     AND e.holder_hash = c.holder_hash AND e.event_id = c.event_id
    WHERE c.programme_id = :programme AND c.state = 'active' AND c.hospital_id IS NULL
      AND (CAST(:search AS text) IS NULL OR strpos(c.event_id, :search) > 0 OR strpos(e.scene, :search) > 0)
""")


_EVENTS = text("""
    SELECT e.event_id, e.place, e.kind, e.scene, e.hospital_id AS code_hospital_id,
           coalesce(a.hospital_id, e.hospital_id) AS hospital_id, e.at, e.received_at, e.source, e.outcome
    FROM quota.card_event e
    LEFT JOIN quota.card_assignment a
      ON a.bucket = e.bucket AND a.programme_id = e.programme_id AND a.event_id = e.event_id
    WHERE e.bucket = :bucket AND e.programme_id = :programme AND e.holder_hash = :holder
    ORDER BY e.place
""")


async def assign(
    tx: Tx,
    programme_id: UUID,
    *,
    event_bucket: int,
    event_id: str,
    hospital_id: str,
    reason: str,
    change_id: UUID,
    now: datetime,
) -> bool:
    """Gives an unattributed card to a hospital; False when it is not (or no longer) unattributed."""
    return bool(
        (
            await tx.execute(
                _ASSIGN,
                {
                    "programme": programme_id,
                    "event_bucket": event_bucket,
                    "event_id": event_id,
                    "hospital": hospital_id,
                    "reason": reason,
                    "change": change_id,
                    "now": now,
                },
            )
        ).scalar_one()
    )


async def unattributed(
    tx: Tx, programme_id: UUID, *, search: str | None, limit: int, after: tuple[datetime, str]
) -> tuple[list[Unattributed], int]:
    """Cards without a hospital, oldest first, and how many fit the search."""
    asked = {"programme": programme_id, "search": search}
    page = {**asked, "after_at": after[0], "after_id": after[1], "limit": limit}
    total = int((await tx.execute(_UNATTRIBUTED_COUNT, asked)).scalar_one())
    return [Unattributed(*row) for row in await tx.execute(_UNATTRIBUTED, page)], total


async def address_of(tx: Tx, programme_id: UUID, event_bucket: int, event_id: str) -> Address | None:
    """Whose event it is: one index probe."""
    statement = select(CardEventKeyRow.holder_bucket, CardEventKeyRow.holder_hash).where(
        CardEventKeyRow.bucket == event_bucket,
        CardEventKeyRow.programme_id == programme_id,
        CardEventKeyRow.event_id == event_id,
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Address(programme_id, row.holder_bucket, row.holder_hash, event_id)


async def events_of(tx: Tx, address: Address) -> list[StoredEvent]:
    """All events of the person, in the order of arrival."""
    return [StoredEvent(**row) for row in (await tx.execute(_EVENTS, _holder(address))).mappings()]


async def credits_of(tx: Tx, address: Address) -> list[Credit]:
    """What the event added and took back, in order."""
    statement = (
        select(
            CardCreditRow.measure,
            CardCreditRow.hospital_id,
            CardCreditRow.day,
            CardCreditRow.n,
            CardCreditRow.recorded_at,
        )
        .where(
            CardCreditRow.bucket == address.bucket,
            CardCreditRow.programme_id == address.programme_id,
            CardCreditRow.holder_hash == address.holder_hash,
            CardCreditRow.event_id == address.event_id,
        )
        .order_by(CardCreditRow.place)
    )
    return [Credit(**row) for row in (await tx.execute(statement)).mappings()]


async def stage_at(tx: Tx, address: Address, event_bucket: int) -> Stage | None:
    """The event, if it is one on the way to a card."""
    statement = select(
        CardStageRow.kind,
        CardStageRow.scene,
        CardStageRow.hospital_id,
        CardStageRow.at,
        CardStageRow.received_at,
        CardStageRow.source,
    ).where(
        CardStageRow.bucket == event_bucket,
        CardStageRow.programme_id == address.programme_id,
        CardStageRow.event_id == address.event_id,
    )
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        return None
    kind: StageKind = "landed" if row.kind == "landed" else "applied"
    return Stage(kind, *row[1:])


async def is_void(tx: Tx, address: Address, event_id: str) -> bool:
    """Whether the card that this event opened is evidence of a confirmed case."""
    statement = select(CardVoidRow.event_id).where(
        CardVoidRow.bucket == address.bucket,
        CardVoidRow.programme_id == address.programme_id,
        CardVoidRow.holder_hash == address.holder_hash,
        CardVoidRow.event_id == event_id,
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def card_at(tx: Tx, address: Address) -> Card:
    statement = select(
        CardRow.state, CardRow.hospital_id, CardRow.event_id, CardRow.opened_at, CardRow.used
    ).where(
        CardRow.bucket == address.bucket,
        CardRow.programme_id == address.programme_id,
        CardRow.holder_hash == address.holder_hash,
    )
    return Card(**(await tx.execute(statement)).mappings().one())


async def assignment_of(tx: Tx, address: Address) -> Assigned | None:
    statement = select(
        CardAssignmentRow.hospital_id,
        CardAssignmentRow.reason,
        CardAssignmentRow.change_id,
        CardAssignmentRow.assigned_at,
    ).where(
        CardAssignmentRow.bucket == address.bucket,
        CardAssignmentRow.programme_id == address.programme_id,
        CardAssignmentRow.event_id == address.event_id,
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Assigned(*row)


async def hospital_names(tx: Tx, programme_id: UUID) -> dict[str | None, str]:
    statement = select(HospitalRow.id, HospitalRow.name).where(HospitalRow.programme_id == programme_id)
    return {row.id: row.name for row in await tx.execute(statement)}


async def code_owner(tx: Tx, scene: str | None) -> str | None:
    """The hospital on whose poster the code stands; it may have closed and handed its codes on."""
    statement = select(HospitalCodeRow.hospital_id).where(HospitalCodeRow.scene == scene)
    owner: str | None = (await tx.execute(statement)).scalar_one_or_none()
    return owner


async def code_replaced_at(tx: Tx, scene: str) -> datetime | None:
    statement = select(HospitalCodeRow.replaced_at).where(HospitalCodeRow.scene == scene)
    replaced_at: datetime | None = (await tx.execute(statement)).scalar_one_or_none()
    return replaced_at


def _holder(address: Address) -> dict[str, object]:
    return {"bucket": address.bucket, "programme": address.programme_id, "holder": address.holder_hash}
