"""When an answer is one: what a till may believe of what came over the line.

Between a till and the platform stand proxies, portals and bad lines. A success is believed only when the
whole of it fits together, and a refusal only when it is one of the platform's own: anything else is no
answer, and the request is sent again under its number.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import httpx
import msgspec

JSON = "application/json"
PROBLEM = "application/problem+json"
REPLAY = "Idempotent-Replay"

AnswerT = TypeVar("AnswerT")


class Refused(Exception):
    """The service said no. `code` is stable and programs decide by it; `detail` is read out."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = dict(problem)
        self.code = str(problem.get("code", "unknown"))
        self.detail = str(problem.get("detail", ""))
        super().__init__(f"{status} {self.code}: {self.detail}")


class Untrustworthy(Exception):
    """What came back is not the platform's answer, or not all of it."""


def believed(response: httpx.Response, reply: type[AnswerT], *, makes: bool) -> AnswerT:
    """The answer, when everything about it fits together.

    `makes`: the call answers 201 the first time and 200 with the replay header after; others answer 200.

    Raises:
        Refused: by the platform.
        Untrustworthy: not the platform's, cut off, of another kind, or contradicting itself.
    """
    if not response.is_success:
        raise Refused(response.status_code, problem_of(response))
    _check_whole(response, JSON)
    replayed = response.headers.get(REPLAY) == "true"
    if makes:
        fits = response.status_code == (httpx.codes.OK if replayed else httpx.codes.CREATED)
    else:
        fits = response.status_code == httpx.codes.OK
    if not fits:
        raise Untrustworthy(f"status {response.status_code} contradicts {REPLAY}: {replayed}")
    try:
        return msgspec.json.decode(response.content, type=reply)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Untrustworthy(f"not an answer to this call: {error}") from None


def problem_of(response: httpx.Response) -> dict[str, Any]:
    """The platform's problem document. Raises Untrustworthy for a page of somebody on the way."""
    _check_whole(response, PROBLEM)
    try:
        problem = msgspec.json.decode(response.content, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Untrustworthy(f"not a problem document: {error}") from None
    if not isinstance(problem.get("code"), str) or problem.get("status") != response.status_code:
        raise Untrustworthy("a problem document without its code, or of another status")
    return problem


def same(asked: object, answered: object, what: str) -> None:
    """Raises Untrustworthy: an answer to another request, such as a cache's."""
    if asked != answered:
        raise Untrustworthy(f"the answer is for another {what}")


def moment_of(told: object) -> datetime:
    """Raises Untrustworthy."""
    try:
        return msgspec.convert(told, datetime)
    except msgspec.ValidationError:
        raise Untrustworthy("not a moment") from None


def _check_whole(response: httpx.Response, kind: str) -> None:
    told = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if told != kind:
        raise Untrustworthy(f"content type {told!r} instead of {kind}")
    length = response.headers.get("Content-Length")
    if "Content-Encoding" not in response.headers and length not in (None, str(len(response.content))):
        raise Untrustworthy(f"{len(response.content)} bytes of {length}")
