"""A service's application: its hot lane, and its OpenAPI document, completed."""

from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override

from shared.http.lane import HotLane
from shared.http.problems import FaultModel, Problem

_SCHEMA_REF = "#/components/schemas/"
_LOCAL_REF = "#/$defs/"
_CONVENTIONS = """\
JSON, UTF-8, `snake_case`. Money is an integer number of fen (`_fen`). Times are RFC 3339 with an offset.
Unknown fields in a request are refused (422). Every POST that changes state takes `request_no`: the same
number with the same body answers the same again, with the header `Idempotent-Replay: true`. Every error is a
problem document (RFC 9457) whose `code` is stable: [all of them](/docs/errors). Every answer carries
`X-Request-Id`.
"""

PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": description,
        "content": {"application/problem+json": {"schema": {"$ref": f"{_SCHEMA_REF}Problem"}}},
    }
    for status, description in (
        ("4XX", "A refusal: `code` says which, `detail` says it to a person"),
        ("5XX", "Busy (503, with Retry-After) or an internal fault (500)"),
    )
}


class ServiceApp(FastAPI):
    """Publishes the completed document (the framework's own is kept in `openapi_schema`).

    Requests of hot routes go through the lane once there is one: `edge` around it, as around the rest.
    """

    _completed: dict[str, Any] | None = None
    _lane: HotLane | None = None
    _edge: ASGIApp

    def open_lane(self, lane: HotLane, edge: ASGIApp) -> None:
        self._lane, self._edge = lane, edge

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._lane is not None and self._lane.takes(scope):
            scope["app"] = self
            await self._edge(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    @override
    def openapi(self) -> dict[str, Any]:
        if self._completed is None:
            self._completed = completed(super().openapi())
        return self._completed


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with servers, the conventions, summaries and every schema where its references point."""
    document["servers"] = [{"url": "/", "description": "One origin for all services"}]
    document["info"]["description"] = _CONVENTIONS
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (FaultModel, Problem):
        schemas[model.__name__] = model.model_json_schema(ref_template=f"{_SCHEMA_REF}{{model}}")
        schemas[model.__name__].pop("$defs", None)
    for path in document["paths"].values():
        for operation in path.values():
            _summarise(operation)
            _hoist(operation, schemas)
    return document


def _summarise(operation: dict[str, Any]) -> None:
    """The first line of a route's docstring is its summary, unless it has one and nothing more to say."""
    first, _, rest = operation.pop("description", "").partition("\n")
    if first.strip():
        operation["summary"] = first.strip().rstrip(".")
    if rest.strip():
        operation["description"] = rest.strip()


def _hoist(node: object, schemas: dict[str, Any]) -> None:
    """Moves schemas that a hot route's body brought along to the components, and points there."""
    if isinstance(node, list):
        for part in node:
            _hoist(part, schemas)
    elif isinstance(node, dict):
        schemas.update(node.pop("$defs", {}))
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(_LOCAL_REF):
            node["$ref"] = _SCHEMA_REF + reference.removeprefix(_LOCAL_REF)
        for part in node.values():
            _hoist(part, schemas)
