"""Retry safety (api.md section 0): the same request number does a thing once and answers it again.

The request row is inserted first, in the transaction of the effect. A second request with the number
waits on its unique key, then finds the first one's answer. A refusal rolls the row back, so that the
number can be used again. A replay writes (it counts itself): its commit proves that the original is
durable on the standby too (reference: reliability 4.3 rule 3).
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import StringConstraints

from shared.crypto import Sealer
from shared.db import Tx
from shared.errors import RequestNoReused
from shared.idempotency import store

RequestNo = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,32}$")]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose request numbers these are: a citizen's person, a staff member, a terminal, a platform key."""

    bucket: int
    id: UUID


@dataclass(frozen=True, slots=True)
class RequestKey:
    caller: Caller
    operation: str
    request_no: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers, and whether this was a repetition (header `Idempotent-Replay`)."""

    body: dict[str, Any]
    replayed: bool = False


_AS_TEXT = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def fingerprint(body: object) -> bytes:
    """16 bytes that tell one request body (without its number's spelling or field order) from another."""
    text = _AS_TEXT.encode(body)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def staff_caller(staff_id: UUID) -> Caller:
    """Staff are few: their numbers live in the bucket that their id names."""
    return Caller(bucket=staff_id.int & 0x3FF, id=staff_id)


async def once(
    tx: Tx,
    key: RequestKey | None,
    *,
    sealer: Sealer,
    now: datetime,
    act: Callable[[], Awaitable[dict[str, Any]]],
) -> Answer:
    """Runs `act` in this transaction unless the number was used before; then answers as it did.

    Without a key (staff calls may leave the number out) it just acts.

    Raises:
        RequestNoReused: the number was used for another body.
    """
    if key is None:
        return Answer(await act())
    if await store.claim(tx, key, now):
        answer = Answer(await act())
        sealed = sealer.seal_text(json.dumps(answer.body, ensure_ascii=False), context=_context(key))
        await store.keep_answer(tx, key, sealed)
        return answer
    first = await store.replay(tx, key)
    if first.fingerprint != key.fingerprint or first.answer_sealed is None:
        raise RequestNoReused
    return Answer(json.loads(sealer.open_text(first.answer_sealed, context=_context(key))), replayed=True)


def _context(key: RequestKey) -> str:
    return f"request/{key.caller.id}/{key.operation}/{key.request_no}"
