"""SQL of terminals."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import select, update

from services.redemption.institutions.tables import InstitutionRow
from services.redemption.terminals.rules import TerminalStatus
from services.redemption.terminals.tables import TerminalRow
from shared.db import Database, Tx

# Hot: once per terminal, process and two seconds. A revoked or pending terminal has no key.
_SIGNING = """
    SELECT t.bucket, t.caller_id, t.institution_id, t.key_sealed, t.previous_key_sealed,
           t.previous_good_until, w.locked_until
    FROM redemption.terminal t
    LEFT JOIN redemption.wrong_codes w ON w.terminal_id = t.id
    WHERE t.id = $1 AND t.key_sealed IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class SigningRow:
    bucket: int
    caller_id: UUID
    institution_id: str
    key_sealed: bytes
    previous_key_sealed: bytes | None
    previous_good_until: datetime | None
    locked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Terminal:
    id: str
    institution_id: str
    label: str
    status: TerminalStatus
    device_id: str | None
    activated_at: datetime | None
    last_seen_at: datetime | None
    activation_expires_at: datetime | None


_TERMINAL = (
    TerminalRow.id,
    TerminalRow.institution_id,
    TerminalRow.label,
    TerminalRow.status,
    TerminalRow.device_id,
    TerminalRow.activated_at,
    TerminalRow.last_seen_at,
    TerminalRow.activation_expires_at,
)


async def signing_row(database: Database, terminal_id: str) -> SigningRow | None:
    """What is needed to check a signature; None for an id that may not sign. Locks nothing."""
    rows = await database.call(_SIGNING, terminal_id)
    return SigningRow(*rows[0]) if rows else None


async def institution_stays(tx: Tx, institution_id: str) -> bool:
    """Whether it is there and open; it stays until the end: undoing its import waits, or has come first."""
    statement = (
        select(InstitutionRow.id)
        .where(InstitutionRow.id == institution_id, InstitutionRow.status != "closed")
        .with_for_update(read=True, key_share=True)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def institution_exists(tx: Tx, institution_id: str) -> bool:
    statement = select(InstitutionRow.id).where(InstitutionRow.id == institution_id)
    return (await tx.execute(statement)).one_or_none() is not None


async def lock_signing_row(tx: Tx, terminal_id: str) -> SigningRow | None:
    """As `signing_row`, locked: of two check-ins one waits and finds the other's key."""
    statement = (
        select(
            TerminalRow.bucket,
            TerminalRow.caller_id,
            TerminalRow.institution_id,
            TerminalRow.key_sealed,
            TerminalRow.previous_key_sealed,
            TerminalRow.previous_good_until,
        )
        .where(TerminalRow.id == terminal_id, TerminalRow.key_sealed.is_not(None))
        .with_for_update()
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else _signing(row)


async def rotate_key(
    tx: Tx,
    terminal_id: str,
    *,
    key_sealed: bytes,
    previous_key_sealed: bytes,
    previous_good_until: datetime,
) -> None:
    await tx.execute(
        update(TerminalRow)
        .where(TerminalRow.id == terminal_id)
        .values(
            key_sealed=key_sealed,
            previous_key_sealed=previous_key_sealed,
            previous_good_until=previous_good_until,
        )
    )


async def mark_seen(tx: Tx, terminal_id: str, now: datetime) -> None:
    await tx.execute(update(TerminalRow).where(TerminalRow.id == terminal_id).values(last_seen_at=now))


async def mark_checked_in(
    tx: Tx, terminal_id: str, now: datetime, *, skew_seconds: int, version: str | None
) -> None:
    """A version that is not told stays as it was told before."""
    told: dict[str, Any] = {} if version is None else {"version": version}
    await tx.execute(
        update(TerminalRow)
        .where(TerminalRow.id == terminal_id)
        .values(last_seen_at=now, clock_skew_seconds=skew_seconds, **told)
    )


async def terminal(tx: Tx, terminal_id: str) -> Terminal | None:
    row = (await tx.execute(select(*_TERMINAL).where(TerminalRow.id == terminal_id))).one_or_none()
    return None if row is None else _terminal(row)


async def terminals(tx: Tx, institution_id: str) -> list[Terminal]:
    """All of an institution, in the order in which they were made."""
    statement = (
        select(*_TERMINAL)
        .where(TerminalRow.institution_id == institution_id)
        .order_by(TerminalRow.created_at, TerminalRow.id)
    )
    return [_terminal(row) for row in await tx.execute(statement)]


async def change_status(
    tx: Tx, terminal_id: str, *, expected: tuple[TerminalStatus, ...], status: TerminalStatus
) -> TerminalStatus | None:
    """Compare-and-set; returns the status before, None when it was none of the expected.

    A revoked terminal loses its keys and its activation code in the same statement.
    """
    before = (
        select(TerminalRow.id, TerminalRow.status)
        .where(TerminalRow.id == terminal_id, TerminalRow.status.in_(expected))
        .with_for_update()
        .cte("before")
    )
    values: dict[str, Any] = {"status": status}
    if status == "revoked":
        values |= dict.fromkeys(
            (
                "activation_hash",
                "activation_expires_at",
                "key_sealed",
                "previous_key_sealed",
                "previous_good_until",
            )
        )
    statement = (
        update(TerminalRow).where(TerminalRow.id == before.c.id).values(**values).returning(before.c.status)
    )
    return cast("TerminalStatus | None", (await tx.execute(statement)).scalar_one_or_none())


def _terminal(row: Any) -> Terminal:  # noqa: ANN401 - a row of _TERMINAL
    return Terminal(*row)


def _signing(row: Any) -> SigningRow:  # noqa: ANN401 - a row whose key is not NULL, as its statement says
    return SigningRow(*row)
