"""One pure-ASGI middleware around every app: request id, headers, timing, and the last catch.

Written as one class because each layer costs every request; BaseHTTPMiddleware would cost 320 µs.
"""

import re
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.clock import machine_seconds
from shared.errors import InvalidRequest, UnsupportedMediaType
from shared.http.problems import language_of, problem_response, respond
from shared.ids import new_id
from shared.metrics.http import HttpTimings

_REQUEST_ID_FORM = re.compile(r"[0-9A-Za-z._-]{1,64}")
_BODY_TYPES = ("application/json", "multipart/form-data", "application/x-www-form-urlencoded")
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "geolocation=(), microphone=()",
}
# API answers are data; only the pages' app sets a policy that lets its own scripts run.
API_CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'"


def _accepted(headers: Headers) -> bool:
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    return not has_body or content_type in _BODY_TYPES


class Edge:
    """`csp` is the Content-Security-Policy of answers that do not set their own."""

    def __init__(
        self, app: ASGIApp, *, service: str, timings: HttpTimings, csp: str = API_CONTENT_SECURITY_POLICY
    ) -> None:
        self._app = app
        self._service = service
        self._timings = timings
        self._csp = csp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID_FORM.fullmatch(given) else new_id().hex
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
            if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
                refusal = InvalidRequest()
                await problem_response(refusal, language=language_of(headers), request_id=request_id)(
                    scope, receive, answer
                )
            elif scope["method"] in _METHODS_WITH_BODY and not _accepted(headers):
                await problem_response(
                    UnsupportedMediaType(), language=language_of(headers), request_id=request_id
                )(scope, receive, answer)
            else:
                await self._app(scope, receive, answer)
        except Exception as error:
            if answered:
                raise
            await respond(error, headers, request_id)(scope, receive, answer)
        finally:
            self._timings.observe(
                service=self._service,
                route=_route_of(scope),
                method=scope["method"],
                status=status,
                seconds=machine_seconds() - started,
            )
            structlog.contextvars.unbind_contextvars("request_id", "service")

    def _stamp(self, message: Message, request_id: str) -> None:
        headers = MutableHeaders(scope=message)
        headers["x-request-id"] = request_id
        for name, value in SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("content-security-policy", self._csp)
        headers.setdefault("cache-control", "no-store")


def _route_of(scope: Scope) -> str:
    """The route's full template, so that a label never carries an id; `-` for what no route answered."""
    context: Any = scope.get("fastapi", {})
    effective = context.get("effective_route_context") if isinstance(context, dict) else None
    path = getattr(effective, "path", None) or getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "-"
