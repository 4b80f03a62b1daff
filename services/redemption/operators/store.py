"""SQL of the operators; which of them a terminal knows is part of its signing row."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql

from services.redemption.operators.tables import OperatorRow
from services.redemption.terminals.tables import TerminalRow
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Operator:
    """`terminal_id` None: works at every terminal of the institution."""

    code: str
    label: str
    terminal_id: str | None
    created_at: datetime
    ended_at: datetime | None


async def insert_operator(tx: Tx, values: dict[str, Any]) -> bool:
    """False when the institution has given that code out before."""
    statement = postgresql.insert(OperatorRow).values(**values).on_conflict_do_nothing()
    return (await tx.execute(statement.returning(OperatorRow.code))).one_or_none() is not None


async def has_terminal(tx: Tx, institution_id: str, terminal_id: str) -> bool:
    statement = select(TerminalRow.id).where(
        TerminalRow.id == terminal_id, TerminalRow.institution_id == institution_id
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def end_operator(tx: Tx, institution_id: str, code: str, *, by: UUID, at: datetime) -> bool:
    """False when there is none, or it was ended before."""
    statement = (
        update(OperatorRow)
        .where(
            OperatorRow.institution_id == institution_id,
            OperatorRow.code == code,
            OperatorRow.ended_at.is_(None),
        )
        .values(ended_at=at, ended_by=by)
        .returning(OperatorRow.code)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def operators(tx: Tx, institution_id: str) -> list[Operator]:
    """All of an institution, also those who were ended, in the order of their codes."""
    statement = (
        select(
            OperatorRow.code,
            OperatorRow.label,
            OperatorRow.terminal_id,
            OperatorRow.created_at,
            OperatorRow.ended_at,
        )
        .where(OperatorRow.institution_id == institution_id)
        .order_by(OperatorRow.code)
    )
    return [Operator(*row) for row in await tx.execute(statement)]
