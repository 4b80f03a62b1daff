from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, tuple_, update
from sqlalchemy.orm import aliased

from shared.approvals.tables import ChangeRow
from shared.db import Tx
from shared.identity.tables import StaffRow


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


@dataclass(frozen=True, slots=True)
class Listed:
    """A change with who proposed and who decided it; nobody decided one that is pending."""

    change: Change
    proposed_by_name: str
    decided_by: UUID | None
    decided_by_name: str | None
    decided_at: datetime | None
    decision_reason: str | None


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


async def how_many(tx: Tx, service: str, status: str | None, *, target: str | None = None) -> int:
    """Changes that fit, on all pages together."""
    statement = select(func.count()).select_from(ChangeRow).where(ChangeRow.service == service)
    if status is not None:
        statement = statement.where(ChangeRow.status == status)
    if target is not None:
        statement = statement.where(ChangeRow.target == target)
    return int((await tx.execute(statement)).scalar_one())


async def page(
    tx: Tx,
    service: str,
    status: str | None,
    *,
    limit: int,
    after: tuple[datetime, UUID] | None,
    target: str | None = None,
) -> list[Listed]:
    """Newest first, with who proposed and decided them."""
    proposer, decider = aliased(StaffRow), aliased(StaffRow)
    statement = (
        select(
            *_COLUMNS,
            proposer.username,
            ChangeRow.decided_by,
            decider.username,
            ChangeRow.decided_at,
            ChangeRow.decision_reason,
        )
        .join(proposer, proposer.id == ChangeRow.proposed_by)
        .outerjoin(decider, decider.id == ChangeRow.decided_by)
        .where(ChangeRow.service == service)
    )
    if status is not None:
        statement = statement.where(ChangeRow.status == status)
    if target is not None:
        statement = statement.where(ChangeRow.target == target)
    if after is not None:
        statement = statement.where(tuple_(ChangeRow.proposed_at, ChangeRow.id) < after)
    statement = statement.order_by(ChangeRow.proposed_at.desc(), ChangeRow.id.desc()).limit(limit)
    columns = len(_COLUMNS)
    return [Listed(Change(*row[:columns]), *row[columns:]) for row in (await tx.execute(statement))]
