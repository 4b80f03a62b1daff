"""SQL of declared capacities."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects import postgresql

from services.redemption.institutions.tables import InstitutionRow
from services.redemption.signals.tables import CapacityRow
from shared.db import Tx


async def declare(tx: Tx, institution_id: str, hourly: int | None, *, by: UUID, now: datetime) -> None:
    values = {"institution_id": institution_id, "hourly": hourly, "declared_by": by, "declared_at": now}
    statement = postgresql.insert(CapacityRow).values(values)
    await tx.execute(statement.on_conflict_do_update(index_elements=["institution_id"], set_=values))


async def names(tx: Tx, institution_ids: Collection[str]) -> dict[str, str]:
    """Of these institutions, by id."""
    statement = select(InstitutionRow.id, InstitutionRow.name).where(InstitutionRow.id.in_(institution_ids))
    return {row.id: row.name for row in await tx.execute(statement)}


async def declared(tx: Tx, institution_id: str) -> int | None:
    statement = select(CapacityRow.hourly).where(CapacityRow.institution_id == institution_id)
    return (await tx.execute(statement)).scalar_one_or_none()


async def lock_institution(tx: Tx, institution_id: str) -> bool:
    """Of two declarations one waits; False for an unknown institution."""
    statement = select(InstitutionRow.id).where(InstitutionRow.id == institution_id)
    return (await tx.execute(statement.with_for_update(key_share=True))).one_or_none() is not None
