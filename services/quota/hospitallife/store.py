from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from services.quota.hospitallife.rules import Kind, LifeEvent
from services.quota.hospitallife.tables import HospitalEventRow
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Told:
    """An event of a hospital's history, with who decided it and whether it was withdrawn."""

    id: UUID
    kind: Kind
    day: date
    successor_id: str | None
    successor: str | None
    alliance: str | None
    reason: str
    change_id: UUID
    recorded_at: datetime
    proposed_by: UUID
    approved_by: UUID
    withdrawn_at: datetime | None
    withdrawn_reason: str | None


_IN_FORCE = text("""
    SELECT id, hospital_id, kind, day, successor_id, alliance
    FROM quota.hospital_events_in_force(:programme) ORDER BY day, recorded_at, id
""")
_TOLD = text("""
    SELECT e.id, e.kind, e.day, e.successor_id, s.name AS successor, e.alliance, e.reason, e.change_id,
           e.recorded_at, c.proposed_by, c.decided_by AS approved_by, w.recorded_at AS withdrawn_at,
           w.reason AS withdrawn_reason
    FROM quota.hospital_event e
    JOIN core.change c ON c.id = e.change_id
    LEFT JOIN quota.hospital s ON s.id = e.successor_id
    LEFT JOIN quota.hospital_event w ON w.withdraws = e.id
    WHERE e.hospital_id = :hospital AND e.kind <> 'withdraw'
    ORDER BY e.day, e.recorded_at, e.id
""")
_CREATED = text("SELECT created_at, alliance FROM quota.hospital WHERE id = :hospital")


async def events_in_force(tx: Tx, programme_id: UUID) -> list[LifeEvent]:
    """By their day."""
    return [LifeEvent(*row) for row in await tx.execute(_IN_FORCE, {"programme": programme_id})]


async def insert_event(tx: Tx, row: dict[str, Any]) -> None:
    """The caller holds the programme's lock."""
    await tx.execute(insert(HospitalEventRow).values(**row))


async def told(tx: Tx, hospital_id: str) -> list[Told]:
    """Everything that was approved for a hospital, withdrawn or not, by its day."""
    return [Told(**row) for row in (await tx.execute(_TOLD, {"hospital": hospital_id})).mappings()]


async def listed(tx: Tx, hospital_id: str) -> tuple[datetime, str]:
    """Since when it is on the list, and the alliance that the list gives it."""
    row = (await tx.execute(_CREATED, {"hospital": hospital_id})).one()
    return row.created_at, row.alliance
