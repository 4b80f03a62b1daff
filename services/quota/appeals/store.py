from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from services.quota.appeals.rules import AppealStatus
from services.quota.appeals.tables import CardAppealRow
from services.quota.hospitals.tables import HospitalRow
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Appeal:
    id: UUID
    event_id: str
    hospital_id: str
    hospital: str
    reason: str
    status: AppealStatus
    lodged_at: datetime
    answer: str | None
    answered_at: datetime | None


async def lodge(tx: Tx, row: dict[str, Any]) -> bool:
    """False while another of the hospital about this event is open, also one written at this moment."""
    statement = insert(CardAppealRow).values(**row).on_conflict_do_nothing().returning(CardAppealRow.id)
    return (await tx.execute(statement)).one_or_none() is not None


async def answer(
    tx: Tx,
    programme_id: UUID,
    appeal_id: UUID,
    *,
    status: AppealStatus,
    words: str,
    by: UUID,
    now: datetime,
) -> bool:
    """Of two answers one waits and finds nothing open."""
    statement = (
        update(CardAppealRow)
        .where(
            CardAppealRow.id == appeal_id,
            CardAppealRow.programme_id == programme_id,
            CardAppealRow.status == "open",
        )
        .values(status=status, answer=words, answered_by=by, answered_at=now)
        .returning(CardAppealRow.id)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def by_id(tx: Tx, programme_id: UUID, appeal_id: UUID) -> Appeal | None:
    statement = _appeals().where(CardAppealRow.id == appeal_id, CardAppealRow.programme_id == programme_id)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Appeal(*row)


async def page(
    tx: Tx,
    programme_id: UUID,
    *,
    hospital_id: str | None,
    status: AppealStatus | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[Appeal]:
    """Newest first."""
    statement = _appeals().where(CardAppealRow.programme_id == programme_id)
    if hospital_id is not None:
        statement = statement.where(CardAppealRow.hospital_id == hospital_id)
    if status is not None:
        statement = statement.where(CardAppealRow.status == status)
    if after is not None:
        statement = statement.where(tuple_(CardAppealRow.lodged_at, CardAppealRow.id) < after)
    statement = statement.order_by(CardAppealRow.lodged_at.desc(), CardAppealRow.id.desc()).limit(limit)
    return [Appeal(*row) for row in await tx.execute(statement)]


async def count(tx: Tx, programme_id: UUID, *, hospital_id: str | None, status: AppealStatus | None) -> int:
    """How many fit."""
    statement = (
        select(func.count()).select_from(CardAppealRow).where(CardAppealRow.programme_id == programme_id)
    )
    if hospital_id is not None:
        statement = statement.where(CardAppealRow.hospital_id == hospital_id)
    if status is not None:
        statement = statement.where(CardAppealRow.status == status)
    return int((await tx.execute(statement)).scalar_one())


def _appeals() -> Select[*tuple[Any, ...]]:
    return select(
        CardAppealRow.id,
        CardAppealRow.event_id,
        CardAppealRow.hospital_id,
        HospitalRow.name,
        CardAppealRow.reason,
        CardAppealRow.status,
        CardAppealRow.lodged_at,
        CardAppealRow.answer,
        CardAppealRow.answered_at,
    ).join(HospitalRow, HospitalRow.id == CardAppealRow.hospital_id)
