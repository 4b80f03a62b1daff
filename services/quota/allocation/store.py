from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text

from services.quota.allocation.rules import Adjustment, HospitalBound, Quota
from services.quota.allocation.tables import (
    AllocationAdjustmentRow,
    AllocationBoundRow,
    AllocationItemRow,
    AllocationRow,
)
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
    basis: str
    effective_month: date | None
    nested: bool
    scale_numerator: Decimal | None
    scale_denominator: Decimal | None


@dataclass(frozen=True, slots=True)
class Item:
    hospital_id: str
    hospital: str
    alliance: str
    visits: int
    adjustment_points: Decimal
    adjustment_cards: int
    quota: int
    basis_value: Decimal | None


_VERSION = select(
    AllocationRow.id,
    AllocationRow.version,
    AllocationRow.total,
    AllocationRow.method,
    AllocationRow.quota_sum,
    AllocationRow.reason,
    AllocationRow.applied_at,
    AllocationRow.basis,
    AllocationRow.effective_month,
    AllocationRow.nested,
    AllocationRow.scale_numerator,
    AllocationRow.scale_denominator,
)


# One statement however long the list is.
_INSERT_ITEMS = text("""
    INSERT INTO quota.allocation_item
        (allocation_id, hospital_id, place, hospital, alliance, visits, basis_value, adjustment_points,
         adjustment_cards, quota)
    SELECT :allocation, u.id, u.ord - 1, u.hospital, u.alliance, u.visits, u.figure, u.points, u.cards,
           u.quota
    FROM unnest(CAST(:ids AS text[]), CAST(:hospitals AS text[]), CAST(:alliances AS text[]),
                CAST(:visits AS bigint[]), CAST(:figures AS numeric[]), CAST(:points AS numeric[]),
                CAST(:cards AS bigint[]), CAST(:quotas AS bigint[])) WITH ORDINALITY
         AS u (id, hospital, alliance, visits, figure, points, cards, quota, ord)
""")


async def in_force(tx: Tx, programme_id: UUID, month: date) -> Version | None:
    """The version by which a month (named by its first day) is judged: the highest that has come by then."""
    statement = (
        _VERSION.where(
            AllocationRow.programme_id == programme_id,
            AllocationRow.effective_month.is_(None) | (AllocationRow.effective_month <= month),
        )
        .order_by(AllocationRow.version.desc())
        .limit(1)
    )
    return _one(await tx.execute(statement))


async def last_number(tx: Tx, programme_id: UUID) -> int:
    """The highest version there is, also one whose month has not come; 0 for none."""
    statement = select(func.max(AllocationRow.version)).where(AllocationRow.programme_id == programme_id)
    return (await tx.execute(statement)).scalar_one() or 0


async def versions(tx: Tx, programme_id: UUID) -> list[Version]:
    """Newest first."""
    statement = _VERSION.where(AllocationRow.programme_id == programme_id).order_by(
        AllocationRow.version.desc()
    )
    return _versions(await tx.execute(statement))


async def version(tx: Tx, programme_id: UUID, number: int) -> Version | None:
    statement = _VERSION.where(AllocationRow.programme_id == programme_id, AllocationRow.version == number)
    return _one(await tx.execute(statement))


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
            AllocationItemRow.basis_value,
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


async def bounds(tx: Tx, allocation_id: UUID) -> list[HospitalBound]:
    """In the order of the list."""
    statement = (
        select(
            AllocationBoundRow.hospital_id,
            AllocationBoundRow.minimum,
            AllocationBoundRow.maximum,
            AllocationBoundRow.reason,
        )
        .join(
            AllocationItemRow,
            (AllocationItemRow.allocation_id == AllocationBoundRow.allocation_id)
            & (AllocationItemRow.hospital_id == AllocationBoundRow.hospital_id),
        )
        .where(AllocationBoundRow.allocation_id == allocation_id)
        .order_by(AllocationItemRow.place)
    )
    return [HospitalBound(*row) for row in await tx.execute(statement)]


async def insert_version(
    tx: Tx,
    header: dict[str, Any],
    quotas: Sequence[Quota],
    moved: Sequence[Adjustment],
    held: Sequence[HospitalBound],
) -> None:
    """Writes a version with all that belongs to it. The caller holds the programme's lock."""
    await tx.execute(insert(AllocationRow).values(**header))
    units = [quota.unit for quota in quotas]
    await tx.execute(
        _INSERT_ITEMS,
        {
            "allocation": header["id"],
            "ids": [unit.hospital_id for unit in units],
            "hospitals": [unit.hospital for unit in units],
            "alliances": [unit.alliance for unit in units],
            "visits": [unit.visits for unit in units],
            "figures": [unit.basis_value for unit in units],
            "points": [quota.points for quota in quotas],
            "cards": [quota.cards for quota in quotas],
            "quotas": [quota.quota for quota in quotas],
        },
    )
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
    bound_rows = [{"allocation_id": header["id"], **asdict(entry)} for entry in held]
    if bound_rows:
        await tx.execute(insert(AllocationBoundRow), bound_rows)


def _versions(rows: Any) -> list[Version]:  # noqa: ANN401 - results of the statement above
    return [Version(*row) for row in rows]


def _one(rows: Any) -> Version | None:  # noqa: ANN401 - a result of the statement above
    found = _versions(rows)
    return found[0] if found else None
