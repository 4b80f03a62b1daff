"""Hot routes: routes of the FastAPI app, documented like any other, answered without its machinery.

A hot handler takes the request and returns the response. Bodies go from bytes to msgspec structs that
carry the same constraints as the documented pydantic models (a contract test holds them together);
answers go from structs to bytes. Errors are refusals, rendered by the edge as everywhere. Their requests
are recognised before the framework sees them (shared/http/lane.py).
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, params
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import override

from shared.errors import Fault, InvalidRequest, Unauthenticated
from shared.http.auth import kit_of
from shared.http.client import stop_floods
from shared.http.replies import REPLAY_HEADER
from shared.identity.citizens import Citizen, CitizenTokens

StructT = TypeVar("StructT", bound=msgspec.Struct)
Handler = Callable[[Request], Awaitable[Response]]

# The form of shared.idempotency.RequestNo; `\Z`, because to Python's `$` a final newline is no more text.
HotRequestNo = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{1,32}\Z")]

_BEARER = "bearer "
_CREATED = 201
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")


class HotRoute(APIRoute):
    @override
    def get_route_handler(self) -> Callable[[Request], Any]:
        """The endpoint itself: dependencies, body parsing and response models are documentation only."""
        handler: Callable[[Request], Any] = self.endpoint
        return handler


class HotBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """Base of the structs of hot request bodies: unknown fields are refused, nothing is coerced."""


def hot_post(
    router: APIRouter,
    path: str,
    *,
    body: type[BaseModel],
    reply: type[BaseModel],
    status_code: int = 201,
    dependencies: Sequence[params.Depends] = (),
    **documented: Any,  # noqa: ANN401 - what APIRouter.add_api_route documents: summary, operation_id, …
) -> Callable[[Handler], Handler]:
    """Registers a handler under POST; `body`, `reply` and `dependencies` appear in OpenAPI only."""

    def register(handler: Handler) -> Handler:
        router.add_api_route(
            path,
            handler,
            methods=["POST"],
            response_model=reply,
            status_code=status_code,
            dependencies=list(dependencies),
            responses=_replayed(reply) if status_code == _CREATED else {},
            openapi_extra={
                "parameters": [
                    {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                    for name in _PATH_PARAMETER.findall(path)
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": body.model_json_schema()}},
                },
            },
            route_class_override=HotRoute,
            **documented,
        )
        return handler

    return register


def _replayed(reply: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    description = f"The number was used before: the first answer again, with `{REPLAY_HEADER}: true`"
    return {200: {"model": reply, "description": description}}


async def decode(request: Request, decoder: msgspec.json.Decoder[StructT]) -> StructT:
    """Raises InvalidRequest naming the first fault of the body."""
    try:
        return decoder.decode(await request.body())
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$")
        loc = "body" + where.rstrip("`")
        raise InvalidRequest(faults=(Fault(loc, message, "invalid"),)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(faults=(Fault("body", str(error), "json_invalid"),)) from None


def citizen_of(request: Request) -> Citizen:
    """The signed-in citizen of a hot request. Raises Unauthenticated."""
    header = request.headers.get("authorization", "")
    if header[: len(_BEARER)].lower() != _BEARER:
        raise Unauthenticated
    tokens: CitizenTokens = request.app.state.citizen_tokens
    citizen = tokens.read(header[len(_BEARER) :], kit_of(request).clock.now())
    stop_floods(request, citizen)
    return citizen


def answer(reply: msgspec.Struct, *, replayed: bool = False, first_status: int = 201) -> Response:
    """201 (or what the table says) the first time, 200 with the replay header for a repetition."""
    content = msgspec.json.encode(reply)
    if replayed:
        return Response(content, media_type="application/json", headers={REPLAY_HEADER: "true"})
    return Response(content, status_code=first_status, media_type="application/json")
