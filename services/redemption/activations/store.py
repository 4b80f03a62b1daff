"""SQL of activation codes: they stand in the rows of their terminals."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import insert, select, update

from services.redemption.terminals.rules import TerminalStatus
from services.redemption.terminals.tables import TerminalRow
from shared.db import Tx


async def insert_terminal(tx: Tx, values: dict[str, Any]) -> None:
    await tx.execute(insert(TerminalRow).values(**values))


async def status_of(tx: Tx, terminal_id: str) -> TerminalStatus | None:
    """Locked until the end: an activation or a check-in waits. None for an unknown terminal."""
    statement = select(TerminalRow.status).where(TerminalRow.id == terminal_id).with_for_update()
    return cast("TerminalStatus | None", (await tx.execute(statement)).scalar_one_or_none())


async def await_activation(tx: Tx, terminal_id: str, *, activation_hash: bytes, expires_at: datetime) -> None:
    """Of a terminal that the caller has locked: it knows this code only from now on, and no key."""
    await tx.execute(
        update(TerminalRow)
        .where(TerminalRow.id == terminal_id)
        .values(
            status="pending",
            activation_hash=activation_hash,
            activation_expires_at=expires_at,
            key_sealed=None,
            previous_key_sealed=None,
            previous_good_until=None,
        )
    )


async def pending_terminal(tx: Tx, activation_hash: bytes, now: datetime) -> str | None:
    """The id behind an activation code that is still good, locked: of two devices one waits and is late."""
    statement = (
        select(TerminalRow.id)
        .where(
            TerminalRow.activation_hash == activation_hash,
            TerminalRow.status == "pending",
            TerminalRow.activation_expires_at > now,
        )
        .with_for_update()
    )
    return (await tx.execute(statement)).scalar_one_or_none()


async def activate(
    tx: Tx, terminal_id: str, *, key_sealed: bytes, device_id: str, now: datetime
) -> str | None:
    """Pending → active, the code used up; returns the institution, None when it was not pending."""
    statement = (
        update(TerminalRow)
        .where(TerminalRow.id == terminal_id, TerminalRow.status == "pending")
        .values(
            status="active",
            activation_hash=None,
            activation_expires_at=None,
            key_sealed=key_sealed,
            device_id=device_id,
            activated_at=now,
            last_seen_at=now,
        )
        .returning(TerminalRow.institution_id)
    )
    return (await tx.execute(statement)).scalar_one_or_none()
