from uuid import UUID

from sqlalchemy import text

from shared.db import Tx

_SLUG = text("SELECT slug FROM quota.programme WHERE id = :id")


async def slug_of(tx: Tx, programme_id: UUID) -> str:
    slug: str = (await tx.execute(_SLUG, {"id": programme_id})).scalar_one()
    return slug
