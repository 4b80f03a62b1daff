"""SQL of staff sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, update

from services.console.sessions.rules import Session
from shared.db import Tx
from shared.identity.tables import StaffSessionRow


@dataclass(frozen=True, slots=True)
class NewSession:
    token_hash: bytes
    staff_id: UUID
    device: str
    now: datetime
    expires_at: datetime


async def insert_session(tx: Tx, new: NewSession) -> None:
    await tx.execute(
        insert(StaffSessionRow).values(
            token_hash=new.token_hash,
            staff_id=new.staff_id,
            device=new.device,
            created_at=new.now,
            last_seen_at=new.now,
            expires_at=new.expires_at,
        )
    )


async def revoke_session(tx: Tx, token_hash: bytes, staff_id: UUID, now: datetime) -> bool:
    """False when it is another's, or was revoked already."""
    statement = (
        update(StaffSessionRow)
        .where(
            StaffSessionRow.token_hash == token_hash,
            StaffSessionRow.staff_id == staff_id,
            StaffSessionRow.revoked_at.is_(None),
        )
        .values(revoked_at=now)
        .returning(StaffSessionRow.token_hash)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def revoke_other_sessions(tx: Tx, kept: bytes, staff_id: UUID, now: datetime) -> int:
    """How many live ones there were."""
    statement = (
        update(StaffSessionRow)
        .where(
            StaffSessionRow.staff_id == staff_id,
            StaffSessionRow.token_hash != kept,
            StaffSessionRow.revoked_at.is_(None),
            StaffSessionRow.expires_at > now,
        )
        .values(revoked_at=now)
    )
    return (await tx.execute(statement)).rowcount


async def live_sessions(tx: Tx, staff_id: UUID, now: datetime) -> list[Session]:
    """The one last seen first."""
    seen = func.coalesce(StaffSessionRow.last_seen_at, StaffSessionRow.created_at)
    statement = (
        select(
            StaffSessionRow.token_hash,
            StaffSessionRow.device,
            StaffSessionRow.created_at,
            StaffSessionRow.last_seen_at,
            StaffSessionRow.expires_at,
        )
        .where(
            StaffSessionRow.staff_id == staff_id,
            StaffSessionRow.revoked_at.is_(None),
            StaffSessionRow.expires_at > now,
        )
        .order_by(seen.desc(), StaffSessionRow.token_hash)
    )
    return [Session(*row) for row in await tx.execute(statement)]


async def note_seen(tx: Tx, token_hash: bytes, now: datetime, *, floor: datetime) -> None:
    """Writes nothing where the session was seen since `floor`."""
    await tx.execute(
        update(StaffSessionRow)
        .where(
            StaffSessionRow.token_hash == token_hash,
            func.coalesce(StaffSessionRow.last_seen_at, StaffSessionRow.created_at) < floor,
        )
        .values(last_seen_at=now)
    )


async def live_counts(tx: Tx, staff_ids: Sequence[UUID], now: datetime) -> dict[UUID, int]:
    """How many live sessions each has; who has none is left out."""
    statement = (
        select(StaffSessionRow.staff_id, func.count())
        .where(
            StaffSessionRow.staff_id.in_(staff_ids),
            StaffSessionRow.revoked_at.is_(None),
            StaffSessionRow.expires_at > now,
        )
        .group_by(StaffSessionRow.staff_id)
    )
    return {row[0]: row[1] for row in await tx.execute(statement)}
