"""The audit log: what staff did, in one hash chain that cannot be edited unseen.

entry_hash = SHA-256(previous_hash || canonical JSON of the entry); the chain starts at SHA-256("").
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.audit import store
from shared.db import Tx

GENESIS = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """`actor` is staff:<id>, terminal:<id> or system; `before`/`after` hold no personal data in clear."""

    actor: str
    action: str
    object: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


def entry_hash(previous: bytes, seq: int, at: datetime, entry: AuditEntry) -> bytes:
    document = {
        "seq": seq,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "action": entry.action,
        "object": entry.object,
        "before": entry.before,
        "after": entry.after,
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(previous + text.encode()).digest()


async def record(tx: Tx, entry: AuditEntry, *, at: datetime) -> None:
    """Appends in the caller's transaction. Locks the chain's end: call it last, nothing may wait after."""
    head = await store.lock_head(tx)
    seq = head.seq + 1
    digest = entry_hash(head.entry_hash, seq, at, entry)
    await store.append(tx, seq=seq, at=at, entry=entry, previous=head.entry_hash, digest=digest)
