"""SQL of the operators; what a write-off asks of them stands in functions.sql."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import any_, func, or_, select, update
from sqlalchemy.dialects import postgresql

from services.redemption.institutions.tables import InstitutionRow
from services.redemption.operators.tables import OperatorRow
from services.redemption.terminals.tables import TerminalRow
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Operator:
    """`terminals` empty: works at every terminal of the institution."""

    code: str
    label: str
    terminals: list[str]
    created_at: datetime
    ended_at: datetime | None
    end_reason: str | None


_OPERATOR = (
    OperatorRow.code,
    OperatorRow.label,
    OperatorRow.terminals,
    OperatorRow.created_at,
    OperatorRow.ended_at,
    OperatorRow.end_reason,
)


async def insert_operator(tx: Tx, values: dict[str, Any]) -> bool:
    """False when the institution has given that code out before."""
    statement = postgresql.insert(OperatorRow).values(**values).on_conflict_do_nothing()
    return (await tx.execute(statement.returning(OperatorRow.code))).one_or_none() is not None


async def terminal_ids(tx: Tx, institution_id: str) -> list[str]:
    """Those of an institution that may ever sign again, in the order in which they were made."""
    statement = (
        select(TerminalRow.id)
        .where(TerminalRow.institution_id == institution_id, TerminalRow.status != "revoked")
        .order_by(TerminalRow.created_at, TerminalRow.id)
    )
    return list((await tx.execute(statement)).scalars())


async def institution_of(tx: Tx, terminal_id: str) -> str | None:
    """None for an unknown terminal."""
    statement = select(TerminalRow.institution_id).where(TerminalRow.id == terminal_id)
    return (await tx.execute(statement)).scalar_one_or_none()


async def lock_operator(tx: Tx, institution_id: str, code: str) -> Operator | None:
    """The operator, locked until the end: of two who change it one waits and sees the other's."""
    statement = (
        select(*_OPERATOR)
        .where(OperatorRow.institution_id == institution_id, OperatorRow.code == code)
        .with_for_update(key_share=True)
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Operator(*row)


async def set_terminals(tx: Tx, institution_id: str, code: str, terminals: Sequence[str]) -> None:
    """Of an operator that the caller has locked."""
    await _set(tx, institution_id, code, terminals=list(terminals))


async def rename(tx: Tx, institution_id: str, code: str, label: str) -> None:
    """Of an operator that the caller has locked."""
    await _set(tx, institution_id, code, label=label)


async def end_operator(
    tx: Tx, institution_id: str, code: str, *, reason: str, by: UUID, at: datetime
) -> None:
    """Of an operator that the caller has locked."""
    await _set(tx, institution_id, code, ended_at=at, ended_by=by, end_reason=reason)


async def operators(tx: Tx, institution_id: str) -> list[Operator]:
    """All of an institution, also those who were ended, in the order of their codes."""
    statement = select(*_OPERATOR).where(OperatorRow.institution_id == institution_id)
    return [Operator(*row) for row in await tx.execute(statement.order_by(OperatorRow.code))]


async def operators_at(tx: Tx, institution_id: str, terminal_id: str) -> list[Operator]:
    """Those who work at a terminal now, in the order of their codes."""
    statement = (
        select(*_OPERATOR)
        .where(
            OperatorRow.institution_id == institution_id,
            OperatorRow.ended_at.is_(None),
            or_(func.cardinality(OperatorRow.terminals) == 0, any_(OperatorRow.terminals) == terminal_id),
        )
        .order_by(OperatorRow.code)
    )
    return [Operator(*row) for row in await tx.execute(statement)]


async def are_required(tx: Tx, institution_id: str, *, lock: bool = False) -> bool | None:
    """Whether the institution requires operators, locked until the end where asked for; None: unknown."""
    statement = select(InstitutionRow.operators_required).where(InstitutionRow.id == institution_id)
    if lock:
        statement = statement.where(InstitutionRow.status != "closed").with_for_update(key_share=True)
    return (await tx.execute(statement)).scalar_one_or_none()


async def require(tx: Tx, institution_id: str, *, required: bool) -> None:
    """Of an institution that the caller has locked."""
    await tx.execute(
        update(InstitutionRow).where(InstitutionRow.id == institution_id).values(operators_required=required)
    )


async def _set(tx: Tx, institution_id: str, code: str, **values: object) -> None:
    await tx.execute(
        update(OperatorRow)
        .where(OperatorRow.institution_id == institution_id, OperatorRow.code == code)
        .values(**values)
    )
