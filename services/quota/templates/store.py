from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select

from services.quota.templates.tables import DocumentTemplateRow
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Version:
    version: int
    sha256: str | None
    put_by: UUID
    put_at: datetime


_VERSION = select(
    DocumentTemplateRow.version,
    DocumentTemplateRow.sha256,
    DocumentTemplateRow.put_by,
    DocumentTemplateRow.put_at,
).order_by(DocumentTemplateRow.version.desc())


async def versions(tx: Tx, programme_id: UUID, kind: str) -> list[Version]:
    """Newest first."""
    statement = _VERSION.where(
        DocumentTemplateRow.programme_id == programme_id, DocumentTemplateRow.kind == kind
    )
    return [Version(*row) for row in await tx.execute(statement)]


async def in_use(tx: Tx, programme_id: UUID, kind: str) -> Version | None:
    """The newest version; None while nobody gave one."""
    found = await versions(tx, programme_id, kind)
    return found[0] if found else None


async def insert_version(tx: Tx, programme_id: UUID, kind: str, version: Version) -> None:
    """The caller holds the programme's lock."""
    await tx.execute(
        insert(DocumentTemplateRow).values(
            programme_id=programme_id,
            kind=kind,
            version=version.version,
            sha256=version.sha256,
            put_by=version.put_by,
            put_at=version.put_at,
        )
    )
