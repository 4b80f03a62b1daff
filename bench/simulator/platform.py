"""The platform as a client sees it: one origin, JSON, problems, and retries with the same request number."""

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from bench.wire import Answer, Pool, multipart

_ATTEMPTS_MAX = 8
_ANSWER_SECONDS = 30.0
# Overload: tried again after the time that the platform asks for.
_LATER = frozenset({429, 503})
_JSON = {"Content-Type": "application/json"}

# The headers that authorise one try: method, path with query, body.
Sign = Callable[[str, str, bytes], Mapping[str, str]]


class Refused(Exception):
    """The platform said no: `status`, the stable `code`, and the whole problem document."""

    def __init__(self, method: str, path: str, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", "unknown"))
        self.problem = problem
        said = f"{problem.get('detail')} {problem.get('errors', '')}".strip()
        super().__init__(f"{method} {path}: {status} {self.code}: {said}")


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def replayed(self) -> bool:
        return self.headers.get("idempotent-replay") == "true"


def request_no() -> str:
    return secrets.token_hex(12)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Platform:
    """`services` names origins of services that run alone; every other path goes to `base_url`."""

    def __init__(
        self, base_url: str, *, connections: int = 32, services: Mapping[str, str] | None = None
    ) -> None:
        self._rest = Pool(base_url, connections=connections)
        self._pools = {
            name: Pool(origin, connections=connections) for name, origin in (services or {}).items()
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for pool in (self._rest, *self._pools.values()):
            pool.close()

    async def exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One try. Raises OSError, TimeoutError: whether it took effect is unknown."""
        pool = self._pools.get(path.split("/", 2)[1], self._rest)
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await pool.request(method, path, headers=headers, body=body)

    async def send(self, method: str, path: str, *, content: bytes, sign: Sign) -> Reply:
        """Sends until answered: a lost answer is asked for again (the request number makes that safe).

        Raises:
            Refused: the platform refused it.
            OSError, TimeoutError: it could not be reached after several tries.
        """
        for attempt in range(1, _ATTEMPTS_MAX + 1):
            try:
                answer = await self.exchange(method, path, sign(method, path, content), content)
            except (OSError, TimeoutError):
                if attempt == _ATTEMPTS_MAX:
                    raise
                await asyncio.sleep(0.1 * 2**attempt)
                continue
            if answer.status not in _LATER or attempt == _ATTEMPTS_MAX:
                return _reply(method, path, answer)
            await asyncio.sleep(float(answer.headers.get("retry-after", "1")))
        raise AssertionError("the loop returns or raises")

    async def call(
        self, method: str, path: str, *, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """A JSON call under a bearer token (or none)."""
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        given = {**(_JSON if content else {}), **(headers or {})}
        return await self.send(method, path, content=content, sign=lambda *_: given)

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        return (await self.call("GET", path, headers=headers)).body

    async def post(self, path: str, body: object, *, headers: Mapping[str, str] | None = None) -> Reply:
        return await self.call("POST", path, body=body, headers=headers)

    async def download(self, path: str, *, headers: Mapping[str, str]) -> bytes:
        """A document, as a clerk's browser saves it."""
        answer = await self.exchange("GET", path, headers, b"")
        if answer.status >= HTTPStatus.BAD_REQUEST:
            _reply("GET", path, answer)
        return answer.body

    async def upload(
        self,
        path: str,
        *,
        name: str,
        content: bytes,
        headers: Mapping[str, str],
        fields: Mapping[str, str] | None = None,
    ) -> Reply:
        """A file, as a browser sends it (multipart field `file`), beside the form's other fields."""
        kind, body = multipart([("file", name, content)], fields or {})
        answer = await self.exchange("POST", path, {**headers, "Content-Type": kind}, body)
        return _reply("POST", path, answer)


def _reply(method: str, path: str, answer: Answer) -> Reply:
    is_json = "json" in answer.headers.get("content-type", "")
    content = json.loads(answer.body) if is_json else answer.body.decode()
    if answer.status >= HTTPStatus.BAD_REQUEST:
        problem = content if isinstance(content, dict) else {"detail": str(content)[:200]}
        raise Refused(method, path, answer.status, problem)
    return Reply(answer.status, content, answer.headers)
