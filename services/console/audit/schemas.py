from typing import Any

from pydantic import BaseModel, Field

from shared.audit.store import StoredEntry
from shared.clock import rfc3339


class AuditItem(BaseModel):
    seq: int
    at: str
    actor: str = Field(examples=["staff:0193…"])
    username: str | None = Field(description="of the actor, when it is staff")
    action: str = Field(examples=["staff.create"])
    object: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    entry_hash: str = Field(description="hex; SHA-256 over the previous entry's hash and this entry")


def audit_item(stored: StoredEntry, username: str | None) -> AuditItem:
    return AuditItem(
        seq=stored.seq,
        at=rfc3339(stored.at),
        actor=stored.entry.actor,
        username=username,
        action=stored.entry.action,
        object=stored.entry.object,
        before=stored.entry.before,
        after=stored.entry.after,
        entry_hash=stored.entry_hash.hex(),
    )
