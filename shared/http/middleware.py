"""One pure-ASGI middleware around every app: request id, headers, timing, and the last catch.

Written as one class because each layer costs every request; BaseHTTPMiddleware would cost 320 µs.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.clock import machine_seconds
from shared.errors import Fault, InvalidRequest, PayloadTooLarge, UnsupportedMediaType
from shared.http.client import Network, origin_of
from shared.http.problems import respond
from shared.ids import new_id
from shared.metrics.http import HttpTimings

_REQUEST_ID_FORM = re.compile(rb"[0-9A-Za-z._-]{1,64}")
_JSON = b"application/json"
_UPLOAD = b"multipart/form-data"
_FORM = b"application/x-www-form-urlencoded"
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
# API answers are data; only the pages' app sets a policy that lets its own scripts run.
API_CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The largest request bodies, in bytes: of a document and of an uploaded file."""

    document: int
    upload: int


# Raw, by name in lower case, as the server gives them; of repeated ones the first.
_Given = Mapping[bytes, bytes]


def _body_type(given: _Given) -> bytes | None:
    """The media type of the body, None when there is no body."""
    if given.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in given:
        return None
    return given.get(b"content-type", b"").partition(b";")[0].strip().lower()


def _is_known(body_type: bytes | None, path: str) -> bool:
    """Calls take JSON and uploads; only pages have forms."""
    return body_type in {None, _JSON, _UPLOAD} or (body_type == _FORM and "/v1/" not in path)


class Edge:
    """`csp` is the Content-Security-Policy of answers that do not set their own."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        service: str,
        timings: HttpTimings,
        limits: BodyLimits,
        proxies: Sequence[Network] = (),
        csp: str = API_CONTENT_SECURITY_POLICY,
    ) -> None:
        self._app = app
        self._service = service
        self._timings = timings
        self._limits = limits
        self._proxies = proxies
        always = {**SECURITY_HEADERS, "content-security-policy": csp, "cache-control": "no-store"}
        self._always = [(name.encode(), value.encode()) for name, value in always.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given: _Given = dict(reversed(scope["headers"]))
        self._look_behind_proxies(scope, given)
        wanted = given.get(b"x-request-id", b"")
        request_id = wanted.decode() if _REQUEST_ID_FORM.fullmatch(wanted) else new_id().hex
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id, service=self._service)
        started = machine_seconds()
        status = 500
        answered = False

        async def answer(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                answered = True
                status = message["status"]
                self._stamp(message, request_id)
            await send(message)

        try:
            await self._app(scope, self._checked(scope, given, receive), answer)
        except Exception as error:
            if answered:
                raise
            await respond(error, Headers(scope=scope), request_id)(scope, receive, answer)
        finally:
            self._timings.observe(
                service=self._service,
                route=_route_of(scope),
                method=scope["method"],
                status=status,
                seconds=machine_seconds() - started,
            )
            structlog.contextvars.unbind_contextvars("request_id", "service")

    def _look_behind_proxies(self, scope: Scope, given: _Given) -> None:
        forwarded, client = given.get(b"x-forwarded-for"), scope.get("client")
        if forwarded and client:
            scope["client"] = (origin_of(client[0], forwarded.decode("latin-1"), self._proxies), 0)

    def _checked(self, scope: Scope, given: _Given, receive: Receive) -> Receive:
        """Raises what is wrong with the request as a whole; returns how its body may be read."""
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            raise InvalidRequest(faults=(Fault("url", "contains a NUL character", "character_invalid"),))
        body_type = _body_type(given)
        if body_type is None or scope["method"] not in _METHODS_WITH_BODY:
            return receive
        if not _is_known(body_type, scope["path"]):
            raise UnsupportedMediaType
        limit = self._limits.upload if body_type == _UPLOAD else self._limits.document
        length = given.get(b"content-length", b"")
        if not length.isdigit():
            return _counted(receive, limit)
        # The server holds a body to the length that it announced.
        if int(length) > limit:
            raise PayloadTooLarge
        return receive

    def _stamp(self, message: Message, request_id: str) -> None:
        """Adds what every answer carries; what an answer says itself is left."""
        own = [pair for pair in message.get("headers", ()) if pair[0] != b"x-request-id"]
        names = {name for name, _ in own}
        own += [pair for pair in self._always if pair[0] not in names]
        own.append((b"x-request-id", request_id.encode()))
        message["headers"] = own


def _counted(receive: Receive, limit: int) -> Receive:
    """For bodies of unknown length: reading more than the limit raises PayloadTooLarge."""
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise PayloadTooLarge
        return message

    return counted


def _route_of(scope: Scope) -> str:
    """The route's full template, so that a label never carries an id; `-` for what no route answered."""
    context: Any = scope.get("fastapi", {})
    effective = context.get("effective_route_context") if isinstance(context, dict) else None
    path = getattr(effective, "path", None) or getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "-"
