from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from shared.audit.tables import AuditEntryRow, AuditHeadRow
from shared.db import Tx

if TYPE_CHECKING:
    from shared.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class Head:
    seq: int
    entry_hash: bytes


async def lock_head(tx: Tx) -> Head:
    statement = select(AuditHeadRow.seq, AuditHeadRow.entry_hash).with_for_update()
    return Head(*(await tx.execute(statement)).one())


async def append(
    tx: Tx, *, seq: int, at: datetime, entry: "AuditEntry", previous: bytes, digest: bytes
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
