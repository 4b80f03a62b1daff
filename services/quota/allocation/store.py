from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from services.quota.allocation.rules import Quota
from services.quota.allocation.tables import AllocationAdjustmentRow, AllocationItemRow, AllocationRow
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Version:
    id: UUID
    version: int
    total: int
    method: str
    quota_sum: int
    reason: str
    applied_at: datetime


@dataclass(frozen=True, slots=True)
class Item:
    hospital_id: str
    hospital: str
    alliance: str
    visits: int
    adjustment_points: Decimal
    adjustment_cards: int
    quota: int


@dataclass(frozen=True, slots=True)
class Adjustment:
    from_hospital_id: str
    to_hospital_id: str
    share_points: Decimal | None
    cards: int | None
    reason: str


_VERSION = select(
    AllocationRow.id,
    AllocationRow.version,
    AllocationRow.total,
    AllocationRow.method,
    AllocationRow.quota_sum,
    AllocationRow.reason,
    AllocationRow.applied_at,
)


async def current(tx: Tx, programme_id: UUID) -> Version | None:
    """The version in force: the highest."""
    found = await versions(tx, programme_id, limit=1)
    return found[0] if found else None


async def versions(tx: Tx, programme_id: UUID, *, limit: int | None = None) -> list[Version]:
    """Newest first."""
    statement = _VERSION.where(AllocationRow.programme_id == programme_id).order_by(
        AllocationRow.version.desc()
    )
    if limit is not None:
        statement = statement.limit(limit)
    return [Version(*row) for row in await tx.execute(statement)]


async def version(tx: Tx, programme_id: UUID, number: int) -> Version | None:
    statement = _VERSION.where(AllocationRow.programme_id == programme_id, AllocationRow.version == number)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Version(*row)


async def items(tx: Tx, allocation_id: UUID) -> list[Item]:
    """In the order of the list."""
    statement = (
        select(
            AllocationItemRow.hospital_id,
            AllocationItemRow.hospital,
            AllocationItemRow.alliance,
            AllocationItemRow.visits,
            AllocationItemRow.adjustment_points,
            AllocationItemRow.adjustment_cards,
            AllocationItemRow.quota,
        )
        .where(AllocationItemRow.allocation_id == allocation_id)
        .order_by(AllocationItemRow.place)
    )
    return [Item(*row) for row in await tx.execute(statement)]


async def adjustments(tx: Tx, allocation_id: UUID) -> list[Adjustment]:
    statement = (
        select(
            AllocationAdjustmentRow.from_hospital_id,
            AllocationAdjustmentRow.to_hospital_id,
            AllocationAdjustmentRow.share_points,
            AllocationAdjustmentRow.cards,
            AllocationAdjustmentRow.reason,
        )
        .where(AllocationAdjustmentRow.allocation_id == allocation_id)
        .order_by(AllocationAdjustmentRow.place)
    )
    return [Adjustment(*row) for row in await tx.execute(statement)]


async def insert_version(
    tx: Tx, header: dict[str, Any], quotas: Sequence[Quota], moved: Sequence[Adjustment]
) -> None:
    """Writes a version with its items and adjustments. The caller holds the programme's lock."""
    await tx.execute(insert(AllocationRow).values(**header))
    item_rows = [
        {
            "allocation_id": header["id"],
            "hospital_id": quota.unit.hospital_id,
            "place": place,
            "hospital": quota.unit.hospital,
            "alliance": quota.unit.alliance,
            "visits": quota.unit.visits,
            "adjustment_points": quota.points,
            "adjustment_cards": quota.cards,
            "quota": quota.quota,
        }
        for place, quota in enumerate(quotas)
    ]
    await tx.execute(insert(AllocationItemRow), item_rows)
    adjustment_rows = [
        {
            "allocation_id": header["id"],
            "place": place,
            "from_hospital_id": entry.from_hospital_id,
            "to_hospital_id": entry.to_hospital_id,
            "share_points": entry.share_points,
            "cards": entry.cards,
            "reason": entry.reason,
        }
        for place, entry in enumerate(moved)
    ]
    if adjustment_rows:
        await tx.execute(insert(AllocationAdjustmentRow), adjustment_rows)
