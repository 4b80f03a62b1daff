from typing import Any

from pydantic import BaseModel, Field

from shared.audit.store import StoredEntry
from shared.clock import rfc3339
from shared.integrity import Figure, Report


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


class IntegrityCheck(BaseModel):
    name: str
    ok: bool
    expected: Figure
    actual: Figure
    detail: str | None


class IntegrityReply(BaseModel):
    as_of: str
    ok: bool
    checks: list[IntegrityCheck]


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


def integrity_reply(report: Report) -> IntegrityReply:
    return IntegrityReply(
        as_of=rfc3339(report.as_of),
        ok=report.ok,
        checks=[
            IntegrityCheck(
                name=check.name,
                ok=check.ok,
                expected=check.expected,
                actual=check.actual,
                detail=check.detail,
            )
            for check in report.checks
        ],
    )
