"""Every error leaves as one problem document (RFC 9457), whatever raised it."""

import json
from collections.abc import Sequence
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shared.db import is_unavailable, sqlstate
from shared.errors import (
    Busy,
    Fault,
    Forbidden,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Refusal,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMediaType,
)

log = structlog.get_logger(__name__)

TYPE_BASE = "/docs/errors#"
# A character that the database cannot hold: as text, and as an escape in JSON.
_UNSTORABLE_CHARACTER = frozenset({"22021", "22P05"})

_BAD_REQUEST = 400

_BY_STATUS: dict[int, type[Refusal]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    413: PayloadTooLarge,
    415: UnsupportedMediaType,
    422: InvalidRequest,
    429: TooManyRequests,
    503: Busy,
}
_TITLES = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class FaultModel(BaseModel):
    loc: str
    message: str
    code: str


class Problem(BaseModel):
    """The error answer of every call."""

    type: str = Field(examples=["/docs/errors#out_of_stock"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(examples=["该券种已领完，请选择其他券种。"])
    code: str = Field(examples=["out_of_stock"])
    request_id: str
    errors: list[FaultModel] | None = None


class InternalError(Refusal):
    code = "internal_error"
    status = 500
    zh = "系统内部错误，请稍后重试；如持续出现请联系工作人员并提供请求编号。"
    en = "Something went wrong on our side; please quote the request id if it happens again."


def language_of(headers: Headers) -> str:
    return "en" if headers.get("accept-language", "").lower().startswith("en") else "zh"


def problem_response(refusal: Refusal, *, language: str, request_id: str) -> Response:
    document: dict[str, Any] = {
        "type": TYPE_BASE + refusal.code,
        "title": _TITLES.get(refusal.status, "Error"),
        "status": refusal.status,
        "detail": refusal.detail(language),
        "code": refusal.code,
        "request_id": request_id,
        **refusal.extra,
    }
    if refusal.faults or refusal.status == InvalidRequest.status:
        document["errors"] = [
            {"loc": fault.loc, "message": fault.message, "code": fault.code} for fault in refusal.faults
        ]
    headers = {}
    if refusal.retry_after_seconds is not None:
        headers["Retry-After"] = str(refusal.retry_after_seconds)
    if refusal.status == Unauthenticated.status:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        json.dumps(document, ensure_ascii=False),
        status_code=refusal.status,
        headers=headers,
        media_type="application/problem+json",
    )


def _faults(errors: Sequence[Any]) -> tuple[Fault, ...]:
    return tuple(
        Fault(
            # A document that is no JSON has no places in it.
            loc="body" if error["type"] == "json_invalid" else ".".join(str(part) for part in error["loc"]),
            message=str(error["msg"]),
            code=str(error["type"]),
        )
        for error in errors
    )


def _of_the_framework(error: HTTPException) -> Refusal | None:
    if isinstance(error.__cause__, Refusal):
        # What the edge refused while the framework read the body.
        return error.__cause__
    if error.status_code == _BAD_REQUEST:
        return InvalidRequest(faults=(Fault("body", "cannot be read", "body_invalid"),))
    kind = _BY_STATUS.get(error.status_code)
    return None if kind is None else kind()


def _of_the_database(error: Exception) -> Refusal | None:
    if isinstance(error, UnicodeEncodeError) or sqlstate(error) in _UNSTORABLE_CHARACTER:
        fault = Fault("body", "contains a character that cannot be stored", "character_invalid")
        return InvalidRequest(faults=(fault,))
    if is_unavailable(error):
        log.warning("Database did not answer", error=type(error).__name__, sqlstate=sqlstate(error))
        return Busy()
    return None


def refusal_for(error: Exception) -> Refusal | None:
    """The refusal that an exception means, or None when it is a defect of ours."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, RequestValidationError):
        return InvalidRequest(faults=_faults(error.errors()))
    if isinstance(error, HTTPException):
        return _of_the_framework(error)
    return _of_the_database(error)


def respond(error: Exception, headers: Headers, request_id: str) -> Response:
    """Renders any exception; what is no refusal is logged with its traceback and answered 500."""
    refusal = refusal_for(error)
    if refusal is None:
        log.error("Request failed", exc_info=error)
        refusal = InternalError()
    response = problem_response(refusal, language=language_of(headers), request_id=request_id)
    if isinstance(error, HTTPException) and error.headers and "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def _is_other_than_json(request: Request, error: RequestValidationError) -> bool:
    """An upload was sent to a call that takes JSON: its bytes arrive where an object was expected."""
    found = any(tuple(fault["loc"]) == ("body",) and fault["type"] != "missing" for fault in error.errors())
    return found and not request.headers.get("content-type", "").startswith("application/json")


async def handle(request: Request, error: Exception) -> Response:
    """The one exception handler of every app."""
    if isinstance(error, RequestValidationError) and _is_other_than_json(request, error):
        error = UnsupportedMediaType()
    return respond(error, request.headers, request.state.request_id)
