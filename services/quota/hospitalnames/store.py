from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import insert, select, text, update

from services.quota.hospitalnames.rules import KnownName, Names, name_key
from services.quota.hospitalnames.tables import HospitalNameRow
from shared.db import Tx
from shared.ids import new_id

NameKind = Literal["current", "former", "alias"]


@dataclass(frozen=True, slots=True)
class Name:
    hospital_id: str
    name: str
    kind: NameKind
    reason: str | None
    added_by: UUID | None
    added_at: datetime
    withdrawn_by: UUID | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who gives or takes a name, when and why (None: the file is the reason)."""

    staff_id: UUID
    at: datetime
    reason: str | None


# A hospital that code before the names wrote has no row of its own name: its own row says it.
_IN_USE = text("""
    SELECT n.hospital_id, h.name AS hospital, n.name, n.key
    FROM quota.hospital_name n JOIN quota.hospital h ON h.id = n.hospital_id
    WHERE n.programme_id = :programme AND n.withdrawn_at IS NULL
    UNION ALL
    SELECT h.id, h.name, h.name, h.name_key
    FROM quota.hospital h
    WHERE h.programme_id = :programme
      AND NOT EXISTS (SELECT FROM quota.hospital_name n
                      WHERE n.hospital_id = h.id AND n.kind = 'current' AND n.withdrawn_at IS NULL)
""")
_LOCK = text("SELECT 1 FROM quota.programme WHERE id = :programme FOR NO KEY UPDATE")
_RENAME = text("UPDATE quota.hospital SET name = :name, name_key = :key, updated_at = :now WHERE id = :id")


async def lock_names(tx: Tx, programme_id: UUID) -> None:
    """Names of a programme are given one after the other; batches of card events wait that long."""
    await tx.execute(_LOCK, {"programme": programme_id})


async def names_in_use(tx: Tx, programme_id: UUID) -> Names:
    """Every name that a file may use for a hospital of the programme."""
    rows = await tx.execute(_IN_USE, {"programme": programme_id})
    return Names(KnownName(*row) for row in rows)


async def insert_names(
    tx: Tx,
    programme_id: UUID,
    names: Sequence[tuple[str, str]],
    *,
    kind: NameKind,
    stamp: Stamp,
) -> None:
    """Gives (hospital id, name). The caller holds the names and knows them to be free."""
    rows = [
        {
            "id": new_id(),
            "programme_id": programme_id,
            "hospital_id": hospital_id,
            "name": name,
            "key": name_key(name),
            "kind": kind,
            "reason": stamp.reason,
            "added_by": stamp.staff_id,
            "added_at": stamp.at,
        }
        for hospital_id, name in names
    ]
    if rows:
        await tx.execute(insert(HospitalNameRow), rows)


async def names_of(tx: Tx, hospital_ids: Sequence[str]) -> list[Name]:
    """All names that these hospitals ever had, in the order in which they were given."""
    statement = (
        select(
            HospitalNameRow.hospital_id,
            HospitalNameRow.name,
            HospitalNameRow.kind,
            HospitalNameRow.reason,
            HospitalNameRow.added_by,
            HospitalNameRow.added_at,
            HospitalNameRow.withdrawn_by,
            HospitalNameRow.withdrawn_at,
            HospitalNameRow.withdrawn_reason,
        )
        .where(HospitalNameRow.hospital_id.in_(hospital_ids))
        .order_by(HospitalNameRow.added_at, HospitalNameRow.id)
    )
    return [Name(**row) for row in (await tx.execute(statement)).mappings()]


async def withdraw_name(tx: Tx, hospital_id: str, name: str, stamp: Stamp) -> bool:
    """Takes a former name or an alias out of use; False when the hospital has no such."""
    statement = (
        update(HospitalNameRow)
        .where(
            HospitalNameRow.hospital_id == hospital_id,
            HospitalNameRow.key == name_key(name),
            HospitalNameRow.kind != "current",
            HospitalNameRow.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=stamp.at, withdrawn_by=stamp.staff_id, withdrawn_reason=stamp.reason)
        .returning(HospitalNameRow.id)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def drop_spelling(tx: Tx, hospital_id: str, name: str, stamp: Stamp) -> None:
    """Frees the hospital's own name of this key, whatever its kind, for another row of the same hospital."""
    statement = (
        update(HospitalNameRow)
        .where(
            HospitalNameRow.hospital_id == hospital_id,
            HospitalNameRow.key == name_key(name),
            HospitalNameRow.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=stamp.at, withdrawn_by=stamp.staff_id, withdrawn_reason=stamp.reason)
    )
    await tx.execute(statement)


async def retire_current(tx: Tx, hospital_id: str) -> bool:
    """The current name becomes a former one; False when it has no row of its own."""
    statement = (
        update(HospitalNameRow)
        .where(
            HospitalNameRow.hospital_id == hospital_id,
            HospitalNameRow.kind == "current",
            HospitalNameRow.withdrawn_at.is_(None),
        )
        .values(kind="former")
        .returning(HospitalNameRow.id)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def rename(tx: Tx, hospital_id: str, name: str, now: datetime) -> None:
    """Writes the current name where everybody reads it."""
    await tx.execute(_RENAME, {"id": hospital_id, "name": name, "key": name_key(name), "now": now})
