"""SQL of the versions: each service keeps its own in a table of these columns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert, select

from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where versions are kept: the table, and its column that says whose they are."""

    table: Table
    owner: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A version: the template's file (None: the platform's own) and the words beside the figures."""

    version: int
    sha256: str | None
    words: dict[str, Any]
    put_by: UUID
    put_at: datetime


async def versions(tx: Tx, shelf: Shelf, owner_id: UUID, kind: str) -> list[Kept]:
    """Newest first; the first one is in use."""
    columns = shelf.table.c
    statement = (
        select(columns.version, columns.sha256, columns.words, columns.put_by, columns.put_at)
        .where(columns[shelf.owner] == owner_id, columns.kind == kind)
        .order_by(columns.version.desc())
    )
    return [
        Kept(row.version, row.sha256, row.words or {}, row.put_by, row.put_at)
        for row in await tx.execute(statement)
    ]


async def insert_version(tx: Tx, shelf: Shelf, owner_id: UUID, kind: str, kept: Kept) -> None:
    """The caller holds the owner's lock."""
    values = {
        shelf.owner: owner_id,
        "kind": kind,
        "version": kept.version,
        "sha256": kept.sha256,
        "words": kept.words,
        "put_by": kept.put_by,
        "put_at": kept.put_at,
    }
    await tx.execute(insert(shelf.table).values(values))
