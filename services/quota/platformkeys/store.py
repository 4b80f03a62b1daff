from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from services.quota.platformkeys.tables import PlatformKeyRow
from shared.db import Database, Tx

# Hot: once for every batch, so that a revoked key is refused at once.
_SIGNING = """
    SELECT k.key_sealed
    FROM quota.platform_key k
    JOIN quota.programme p ON p.id = k.programme_id
    WHERE p.slug = $1 AND k.key_id = $2 AND k.revoked_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    key_id: str
    label: str
    created_at: datetime
    revoked_at: datetime | None


async def insert_key(tx: Tx, row: dict[str, Any]) -> None:
    await tx.execute(insert(PlatformKeyRow).values(**row))


async def key_of(database: Database, slug: str, key_id: str) -> bytes | None:
    """The sealed key that may sign for this programme now. Locks nothing."""
    rows = await database.call(_SIGNING, slug, key_id)
    sealed: bytes | None = rows[0]["key_sealed"] if rows else None
    return sealed


async def keys(tx: Tx, programme_id: UUID) -> list[KeyInfo]:
    """Newest first."""
    statement = (
        select(
            PlatformKeyRow.key_id, PlatformKeyRow.label, PlatformKeyRow.created_at, PlatformKeyRow.revoked_at
        )
        .where(PlatformKeyRow.programme_id == programme_id)
        .order_by(PlatformKeyRow.created_at.desc(), PlatformKeyRow.key_id)
    )
    return [KeyInfo(*row) for row in await tx.execute(statement)]


async def revoke_key(tx: Tx, programme_id: UUID, key_id: str, *, by: UUID, now: datetime) -> bool:
    """False when it was revoked before, or is not there."""
    statement = (
        update(PlatformKeyRow)
        .where(
            PlatformKeyRow.programme_id == programme_id,
            PlatformKeyRow.key_id == key_id,
            PlatformKeyRow.revoked_at.is_(None),
        )
        .values(revoked_by=by, revoked_at=now)
        .returning(PlatformKeyRow.key_id)
    )
    return (await tx.execute(statement)).one_or_none() is not None
