"""Calls of the other services in the name of the person who signed in: what console pages are made of.

A page sends its reader's own token, so roles and own rows are judged where the API judges them, and nowhere
else. The way there is given when the program is put together: to the apps of this process, or by
`HV_SERVICES_URL`.
"""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias, TypeVar
from urllib.parse import quote

import httpx
import structlog

from shared.clients.errors import ServicesNotConnected
from shared.clients.integrity import Refused, Untrustworthy, problem_of
from shared.errors import Busy, NotFound, Unauthenticated

log = structlog.get_logger(__name__)

# A document of a thousand rows takes seconds; whoever waits for a page longer than this has gone.
_READ_SECONDS = 30.0
_CONNECT_SECONDS = 3.0
# As many as a list gives at once.
_PAGE = 200

Answered = TypeVar("Answered")
# Whatever a JSON document holds.
Json: TypeAlias = Any
Query: TypeAlias = Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class Caller:
    """In whose name. `origin` is where people reach the platform, for what is printed; without a slash."""

    token: str
    request_id: str
    language: str
    origin: str
    address: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as a person sent it."""

    name: str
    content: BinaryIO


class Download:
    """A file on its way: `parts` once, and `close` whatever happens."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.media_type = response.headers.get("content-type", "application/octet-stream")

    def parts(self) -> AsyncIterator[bytes]:
        return self._response.aiter_bytes()

    async def close(self) -> None:
        await self._response.aclose()


class Services:
    """The way to the other services. One for each process; `running` ends its connections."""

    def __init__(self, base_url: str | None) -> None:
        self._base_url = base_url
        self._transport: httpx.AsyncBaseTransport | None = None
        self._client: httpx.AsyncClient | None = None

    def join(self, transport: httpx.AsyncBaseTransport) -> None:
        """They run in this process, all at the origin that the person reached."""
        self._transport, self._base_url = transport, None

    def for_caller(self, caller: Caller) -> "Calls":
        """Raises ServicesNotConnected."""
        if self._transport is None and self._base_url is None:
            raise ServicesNotConnected
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=self._transport,
                timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
                trust_env=False,
            )
        return Calls(self._client, self._base_url or caller.origin, caller)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            if self._client is not None:
                await self._client.aclose()
                self._client = None


def at(service: str, *segments: str) -> str:
    """The path of a call: `at("quota", "hospitals", id)`. Raises NotFound for what would lead elsewhere.

    Segments come from addresses and forms: whatever they hold stays one segment.
    """
    if any(segment in {"", ".", ".."} for segment in segments):
        raise NotFound
    return "/".join((f"/{service}/v1", *(quote(segment, safe="") for segment in segments)))


@dataclass(frozen=True, slots=True)
class Calls:
    """Each raises Refused (the service's no), Unauthenticated (the session is over) or Busy (no answer)."""

    _client: httpx.AsyncClient
    _base: str
    _caller: Caller

    async def get(self, path: str, query: Query | None = None) -> Json:
        return (await self._whole("GET", path, params=_given(query))).json()

    async def every(self, path: str, query: Query, *, most: int) -> list[Json]:
        """The entries of a list, page by page, at most `most` of them."""
        found: list[Json] = []
        asked = {**query, "limit": min(most, _PAGE)}
        while True:
            page = await self.get(path, asked)
            found.extend(page["items"])
            if page["next_cursor"] is None or len(found) >= most:
                return found[:most]
            asked["cursor"] = page["next_cursor"]

    async def post(self, path: str, body: Json) -> Json:
        return (await self._whole("POST", path, json=body)).json()

    async def put(self, path: str, body: Json) -> Json:
        return (await self._whole("PUT", path, json=body)).json()

    async def patch(self, path: str, body: Json) -> Json:
        return (await self._whole("PATCH", path, json=body)).json()

    async def delete(self, path: str) -> Json:
        return (await self._whole("DELETE", path)).json()

    async def upload(
        self,
        path: str,
        files: Mapping[str, Upload],
        fields: Query | None = None,
        *,
        query: Query | None = None,
        method: str = "POST",
    ) -> Json:
        sent = {field: (file.name, file.content) for field, file in files.items()}
        answer = await self._whole(method, path, files=sent, data=_given(fields), params=_given(query))
        return answer.json()

    async def download(self, path: str, query: Query | None = None) -> Download:
        """The caller hands on the parts and closes it; a thousand posters never stand in memory."""
        response = await self._answer("GET", path, params=_given(query))
        return Download(response)

    async def _whole(self, method: str, path: str, **sent: Any) -> httpx.Response:  # noqa: ANN401 - as httpx takes it
        response = await self._answer(method, path, **sent)
        try:
            await response.aread()
        except httpx.TransportError as error:
            raise _unanswered(path, error) from error
        finally:
            await response.aclose()
        return response

    async def _answer(self, method: str, path: str, **sent: Any) -> httpx.Response:  # noqa: ANN401 - as httpx takes it
        caller = self._caller
        request = self._client.build_request(
            method,
            self._base + path,
            headers={
                "Authorization": f"Bearer {caller.token}",
                "Accept-Language": caller.language,
                "Accept-Encoding": "identity",
                "X-Request-Id": caller.request_id,
                "X-Forwarded-For": caller.address,
            },
            **sent,
        )
        try:
            response = await self._client.send(request, stream=True)
            if response.is_success:
                return response
            await response.aread()
        except httpx.TransportError as error:
            raise _unanswered(path, error) from error
        await response.aclose()
        raise _refusal_of(response, path)


async def answered(call: Awaitable[Answered]) -> Answered | None:
    """None where the service says no or does not answer: for what a page can be shown without."""
    try:
        return await call
    except (Refused, Busy):
        return None


def _given(values: Query | None) -> dict[str, str | int | bool]:
    return {name: value for name, value in (values or {}).items() if value is not None}


def _unanswered(path: str, error: httpx.TransportError) -> Busy:
    log.warning("A service did not answer", service=path.split("/")[1], error=type(error).__name__)
    return Busy()


def _refusal_of(response: httpx.Response, path: str) -> Exception:
    """What an answer means that is no success."""
    if response.status_code == Unauthenticated.status:
        return Unauthenticated()
    try:
        return Refused(response.status_code, problem_of(response))
    except Untrustworthy as error:
        log.warning("Not an answer of a service", service=path.split("/")[1], error=str(error))
        return Busy()
