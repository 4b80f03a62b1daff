from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from shared.db import Tx

if TYPE_CHECKING:
    from shared.idempotency import RequestKey


@dataclass(frozen=True, slots=True)
class FirstRequest:
    fingerprint: bytes
    answer_sealed: bytes | None


_CLAIM = text("""
    INSERT INTO core.request (bucket, caller_id, operation, request_no, fingerprint, created_at)
    VALUES (:bucket, :caller_id, :operation, :request_no, :fingerprint, :now)
    ON CONFLICT DO NOTHING
    RETURNING true
""")
_KEEP = text("""
    UPDATE core.request SET answer_sealed = :answer
    WHERE bucket = :bucket AND caller_id = :caller_id AND operation = :operation
      AND request_no = :request_no
""")
_REPLAY = text("""
    UPDATE core.request SET replays = replays + 1
    WHERE bucket = :bucket AND caller_id = :caller_id AND operation = :operation
      AND request_no = :request_no
    RETURNING fingerprint, answer_sealed
""")


def _address(key: "RequestKey") -> dict[str, Any]:
    return {
        "bucket": key.caller.bucket,
        "caller_id": key.caller.id,
        "operation": key.operation,
        "request_no": key.request_no,
    }


async def claim(tx: Tx, key: "RequestKey", now: datetime) -> bool:
    """True when this is the first use; waits for a request with the number that is still under way."""
    values = {**_address(key), "fingerprint": key.fingerprint, "now": now}
    return bool((await tx.execute(_CLAIM, values)).scalar_one_or_none())


async def keep_answer(tx: Tx, key: "RequestKey", answer_sealed: bytes) -> None:
    await tx.execute(_KEEP, {**_address(key), "answer": answer_sealed})


async def replay(tx: Tx, key: "RequestKey") -> FirstRequest:
    """Counts the repetition and returns what the first request left."""
    row = (await tx.execute(_REPLAY, _address(key))).one()
    return FirstRequest(fingerprint=row.fingerprint, answer_sealed=row.answer_sealed)
