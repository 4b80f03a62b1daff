"""What an audit entry is and how the chain over the entries is computed. Pure."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

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
        "before": _as_stored(entry.before),
        "after": _as_stored(entry.after),
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(previous + text.encode()).digest()


def _as_stored(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A value in the one form that it still has when it comes back from the database.

    JSONB turns keys into text and forgets how a number was written: 1e22 and -0.0 come back as 1 with 22
    zeros and 0. So whole numbers are hashed as integers, however they were given.
    """
    if isinstance(value, dict):
        return {str(key): _as_stored(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_stored(part) for part in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
