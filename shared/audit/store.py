from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update

from shared.audit.rules import AuditEntry
from shared.audit.tables import AuditEntryRow, AuditHeadRow
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Head:
    seq: int
    entry_hash: bytes


@dataclass(frozen=True, slots=True)
class StoredEntry:
    seq: int
    at: datetime
    entry: AuditEntry
    previous_hash: bytes
    entry_hash: bytes


@dataclass(frozen=True, slots=True)
class Filter:
    """What a reader of the log looks for; None does not filter.

    `action` may be several with commas between them, `object` a kind of objects with its colon (`change:`).
    """

    actor: str | None = None
    action: str | None = None
    object: str | None = None
    since: datetime | None = None
    until: datetime | None = None


_ENTRY = select(
    AuditEntryRow.seq,
    AuditEntryRow.at,
    AuditEntryRow.actor,
    AuditEntryRow.action,
    AuditEntryRow.object,
    AuditEntryRow.before,
    AuditEntryRow.after,
    AuditEntryRow.previous_hash,
    AuditEntryRow.entry_hash,
)


async def lock_head(tx: Tx) -> Head:
    statement = select(AuditHeadRow.seq, AuditHeadRow.entry_hash).with_for_update()
    return Head(*(await tx.execute(statement)).one())


async def head(tx: Tx) -> Head:
    return Head(*(await tx.execute(select(AuditHeadRow.seq, AuditHeadRow.entry_hash))).one())


async def append(
    tx: Tx, *, seq: int, at: datetime, entry: AuditEntry, previous: bytes, digest: bytes
) -> None:
    await tx.execute(
        insert(AuditEntryRow).values(
            seq=seq,
            at=at,
            actor=entry.actor,
            action=entry.action,
            object=entry.object,
            before=entry.before,
            after=entry.after,
            previous_hash=previous,
            entry_hash=digest,
        )
    )
    await tx.execute(update(AuditHeadRow).values(seq=seq, entry_hash=digest))


async def entries_after(tx: Tx, seq: int, *, limit: int) -> list[StoredEntry]:
    """The next entries of the chain, oldest first."""
    statement = _ENTRY.where(AuditEntryRow.seq > seq).order_by(AuditEntryRow.seq).limit(limit)
    return [_stored(row) for row in await tx.execute(statement)]


async def newest(tx: Tx, wanted: Filter, *, before_seq: int | None, limit: int) -> Sequence[StoredEntry]:
    """Entries that fit, newest first."""
    statement = _filtered(_ENTRY, wanted)
    if before_seq is not None:
        statement = statement.where(AuditEntryRow.seq < before_seq)
    rows = await tx.execute(statement.order_by(AuditEntryRow.seq.desc()).limit(limit))
    return [_stored(row) for row in rows]


async def count(tx: Tx, wanted: Filter) -> int:
    if wanted == Filter():
        # Entries are numbered without a gap.
        return (await head(tx)).seq
    counted = _filtered(select(func.count()).select_from(AuditEntryRow), wanted)
    return int((await tx.execute(counted)).scalar_one())


def _filtered(statement: Select[Any], wanted: Filter) -> Select[Any]:
    if wanted.actor is not None:
        statement = statement.where(AuditEntryRow.actor == wanted.actor)
    if wanted.action is not None:
        statement = statement.where(AuditEntryRow.action.in_(wanted.action.split(",")))
    if wanted.object is not None and wanted.object.endswith(":"):
        statement = statement.where(AuditEntryRow.object.startswith(wanted.object, autoescape=True))
    elif wanted.object is not None:
        statement = statement.where(AuditEntryRow.object == wanted.object)
    if wanted.since is not None:
        statement = statement.where(AuditEntryRow.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(AuditEntryRow.at < wanted.until)
    return statement


def _stored(row: Row[Any]) -> StoredEntry:
    return StoredEntry(
        seq=row.seq,
        at=row.at,
        entry=AuditEntry(row.actor, row.action, row.object, row.before, row.after),
        previous_hash=row.previous_hash,
        entry_hash=row.entry_hash,
    )
