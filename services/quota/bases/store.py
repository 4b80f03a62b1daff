from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from services.quota.bases.tables import BasisRow, BasisValueRow
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Basis:
    name: str
    updated_at: datetime


# What it would not change is not written.
_UPSERT_VALUES = text("""
    INSERT INTO quota.basis_value AS v (programme_id, basis, hospital_id, value, updated_at)
    SELECT :programme, :basis, u.hospital_id, u.value, :now
    FROM unnest(CAST(:ids AS text[]), CAST(:values AS numeric[])) AS u (hospital_id, value)
    ON CONFLICT (programme_id, basis, hospital_id) DO UPDATE
    SET value = excluded.value, updated_at = excluded.updated_at
    WHERE v.value <> excluded.value
""")


async def bases(tx: Tx, programme_id: UUID) -> list[Basis]:
    """All imported ones, by name."""
    statement = (
        select(BasisRow.name, BasisRow.updated_at)
        .where(BasisRow.programme_id == programme_id)
        .order_by(BasisRow.name)
    )
    return [Basis(*row) for row in await tx.execute(statement)]


async def is_known(tx: Tx, programme_id: UUID, name: str) -> bool:
    statement = select(BasisRow.name).where(BasisRow.programme_id == programme_id, BasisRow.name == name)
    return (await tx.execute(statement)).one_or_none() is not None


async def lock_basis(tx: Tx, programme_id: UUID, name: str, now: datetime) -> None:
    """Makes the basis or touches it, locked: of two imports of one basis the second waits."""
    values = {"programme_id": programme_id, "name": name, "updated_at": now}
    await tx.execute(
        insert(BasisRow)
        .values(**values)
        .on_conflict_do_update(index_elements=["programme_id", "name"], set_={"updated_at": now})
    )


async def figures(tx: Tx, programme_id: UUID, name: str) -> dict[str, Decimal]:
    """The figures of a basis by hospital id."""
    statement = select(BasisValueRow.hospital_id, BasisValueRow.value).where(
        BasisValueRow.programme_id == programme_id, BasisValueRow.basis == name
    )
    return {row.hospital_id: row.value for row in await tx.execute(statement)}


async def write_figures(
    tx: Tx, programme_id: UUID, name: str, values: Mapping[str, Decimal], now: datetime
) -> None:
    """Writes new figures and changed ones. The caller holds the basis' lock."""
    await tx.execute(
        _UPSERT_VALUES,
        {
            "programme": programme_id,
            "basis": name,
            "ids": list(values),
            "values": list(values.values()),
            "now": now,
        },
    )
