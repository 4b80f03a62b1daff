"""The platform as a client sees it: one origin, JSON, problems, and retries with the same request number."""

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

_ATTEMPTS_MAX = 8
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
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
    headers: httpx.Headers

    @property
    def replayed(self) -> bool:
        return str(self.headers.get("idempotent-replay")) == "true"


def request_no() -> str:
    return secrets.token_hex(12)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Platform:
    """`transport` takes the place of the network when the platform runs in the same process."""

    def __init__(
        self, base_url: str, *, connections: int = 32, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._http = httpx.AsyncClient(
            base_url=base_url, timeout=_TIMEOUT, limits=limits, transport=transport
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def send(self, method: str, path: str, *, content: bytes, sign: Sign) -> Reply:
        """Sends until answered: a lost answer is asked for again (the request number makes that safe).

        Raises:
            Refused: the platform refused it.
            httpx.TransportError: it could not be reached after several tries.
        """
        for attempt in range(1, _ATTEMPTS_MAX + 1):
            try:
                response = await self._http.request(
                    method, path, content=content, headers=sign(method, path, content)
                )
            except httpx.TransportError:
                if attempt == _ATTEMPTS_MAX:
                    raise
                await asyncio.sleep(0.1 * 2**attempt)
                continue
            if response.status_code not in _LATER or attempt == _ATTEMPTS_MAX:
                return _reply(method, path, response)
            await asyncio.sleep(float(response.headers.get("retry-after", "1")))
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

    async def upload(self, path: str, *, name: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        """A file, as a clerk's browser sends it (multipart field `file`)."""
        response = await self._http.post(path, files={"file": (name, content)}, headers=headers)
        return _reply("POST", path, response)


def _reply(method: str, path: str, response: httpx.Response) -> Reply:
    kind = response.headers.get("content-type", "")
    content = response.json() if "json" in kind else response.text
    if response.is_error:
        problem = content if isinstance(content, dict) else {"detail": str(content)[:200]}
        raise Refused(method, path, response.status_code, problem)
    return Reply(response.status_code, content, response.headers)
