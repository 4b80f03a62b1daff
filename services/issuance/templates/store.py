"""SQL of the templates' owner; their versions are read and written by shared/paperwork."""

from uuid import UUID

from sqlalchemy import text

from shared.db import Tx

_LOCK = text("SELECT id FROM core.campaign WHERE slug = :slug FOR NO KEY UPDATE")


async def lock_campaign(tx: Tx, slug: str) -> UUID | None:
    """The campaign's id, its row locked against others who change its documents; all else goes on."""
    found: UUID | None = (await tx.execute(_LOCK, {"slug": slug})).scalar_one_or_none()
    return found
