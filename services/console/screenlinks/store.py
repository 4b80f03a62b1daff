"""SQL of the links of the big screen."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, tuple_, update

from services.console.screenlinks.rules import ScreenLink
from services.console.screenlinks.tables import ScreenLinkRow
from shared.db import Tx
from shared.identity.tables import StaffRow

_LINK = select(
    ScreenLinkRow.id,
    ScreenLinkRow.label,
    StaffRow.username,
    ScreenLinkRow.created_at,
    ScreenLinkRow.expires_at,
    ScreenLinkRow.revoked_at,
).join(StaffRow, StaffRow.id == ScreenLinkRow.created_by)


async def insert_link(tx: Tx, row: dict[str, Any]) -> None:
    await tx.execute(insert(ScreenLinkRow).values(**row))


async def by_token(tx: Tx, token_hash: bytes) -> ScreenLink | None:
    row = (await tx.execute(_LINK.where(ScreenLinkRow.token_hash == token_hash))).one_or_none()
    return None if row is None else ScreenLink(*row)


async def exists(tx: Tx, link_id: UUID) -> bool:
    statement = select(ScreenLinkRow.id).where(ScreenLinkRow.id == link_id)
    return (await tx.execute(statement)).one_or_none() is not None


async def revoke(tx: Tx, link_id: UUID, *, by: UUID, now: datetime) -> str | None:
    """Compare-and-set; the link's label, None when it was revoked before or is not there."""
    statement = (
        update(ScreenLinkRow)
        .where(ScreenLinkRow.id == link_id, ScreenLinkRow.revoked_at.is_(None))
        .values(revoked_by=by, revoked_at=now)
        .returning(ScreenLinkRow.label)
    )
    label: str | None = (await tx.execute(statement)).scalar_one_or_none()
    return label


async def page(tx: Tx, *, limit: int, after: tuple[datetime, UUID] | None) -> list[ScreenLink]:
    """Newest first."""
    statement = _LINK.order_by(ScreenLinkRow.created_at.desc(), ScreenLinkRow.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(ScreenLinkRow.created_at, ScreenLinkRow.id) < after)
    return [ScreenLink(*row) for row in await tx.execute(statement)]
