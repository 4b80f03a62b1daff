"""The audit log: what staff did, in one hash chain that cannot be edited unseen.

entry_hash = SHA-256(previous_hash || canonical JSON of the entry); the chain starts at SHA-256("").
"""

from datetime import datetime

from shared.audit import store
from shared.audit.rules import GENESIS, AuditEntry, entry_hash
from shared.db import Tx

__all__ = ["GENESIS", "AuditEntry", "entry_hash", "record"]


async def record(tx: Tx, entry: AuditEntry, *, at: datetime) -> None:
    """Appends in the caller's transaction. Locks the chain's end: call it last, nothing may wait after."""
    head = await store.lock_head(tx)
    seq = head.seq + 1
    digest = entry_hash(head.entry_hash, seq, at, entry)
    await store.append(tx, seq=seq, at=at, entry=entry, previous=head.entry_hash, digest=digest)
