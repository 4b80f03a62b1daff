from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, tuple_, update

from shared.approvals.tables import ChangeRow
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Change:
    id: UUID
    service: str
    kind: str
    target: str
    body: dict[str, Any]
    before: dict[str, Any]
    reason: str | None
    status: str
    proposed_by: UUID
    proposed_at: datetime


_COLUMNS = (
    ChangeRow.id,
    ChangeRow.service,
    ChangeRow.kind,
    ChangeRow.target,
    ChangeRow.body,
    ChangeRow.before,
    ChangeRow.reason,
    ChangeRow.status,
    ChangeRow.proposed_by,
    ChangeRow.proposed_at,
)


async def insert_change(tx: Tx, change: Change) -> None:
    await tx.execute(insert(ChangeRow).values(**asdict(change)))


async def lock(tx: Tx, service: str, change_id: UUID) -> Change | None:
    """The change, locked until the decision commits: of two approvers one waits and finds it decided."""
    statement = (
        select(*_COLUMNS).where(ChangeRow.id == change_id, ChangeRow.service == service).with_for_update()
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Change(*row)


async def decide(tx: Tx, change_id: UUID, *, status: str, by: UUID, at: datetime, reason: str | None) -> None:
    await tx.execute(
        update(ChangeRow)
        .where(ChangeRow.id == change_id, ChangeRow.status == "pending")
        .values(status=status, decided_by=by, decided_at=at, decision_reason=reason)
    )


async def page(
    tx: Tx, service: str, status: str | None, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[Change]:
    statement = select(*_COLUMNS).where(ChangeRow.service == service)
    if status is not None:
        statement = statement.where(ChangeRow.status == status)
    if after is not None:
        statement = statement.where(tuple_(ChangeRow.proposed_at, ChangeRow.id) < after)
    statement = statement.order_by(ChangeRow.proposed_at.desc(), ChangeRow.id.desc()).limit(limit)
    return [Change(*row) for row in (await tx.execute(statement))]
