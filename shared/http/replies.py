"""Shapes that every service answers with: repeated answers, lists, strict bodies."""

import base64
import binascii
import contextlib
import json
import re
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter
from pydantic_core import PydanticCustomError

from shared.errors import Fault, InvalidRequest
from shared.idempotency import Answer, RequestKey, RequestNo, fingerprint, staff_caller
from shared.identity.staff import Staff

T = TypeVar("T")

REPLAY_HEADER = "Idempotent-Replay"
LIMIT_DEFAULT = 50
LIMIT_MAX = 200


class Body(BaseModel):
    """Base of every request body: unknown fields are refused, nothing is coerced."""

    model_config = ConfigDict(extra="forbid", strict=True)


class StaffBody(Body):
    """Staff may leave the request number out."""

    request_no: RequestNo | None = None


# Outside these years a moment cannot be moved between time zones and stored everywhere without overflow.
_YEARS = range(1900, 2200)
_MOMENT = TypeAdapter(AwareDatetime)
_DAY = TypeAdapter(date)


_DAY_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT_FORM = re.compile(_DAY_FORM.pattern + "T.+")


def _text(value: object, form: re.Pattern[str], shown: str) -> str:
    """A number, or its text, is refused: nobody can tell seconds from milliseconds."""
    if not isinstance(value, str) or not form.fullmatch(value):
        raise PydanticCustomError("date_form", "must be text such as {shown}", {"shown": shown})
    return value


def parse_moment(value: object) -> datetime:
    """RFC 3339 text with an offset."""
    if isinstance(value, datetime):
        moment = value
    else:
        moment = _MOMENT.validate_strings(_text(value, _MOMENT_FORM, "2020-11-01T11:00:00+08:00"))
    if moment.year not in _YEARS:
        raise PydanticCustomError("datetime_range", "must lie between the years 1900 and 2199")
    return moment


def parse_day(value: object) -> date:
    day = value if isinstance(value, date) else _DAY.validate_strings(_text(value, _DAY_FORM, "2020-11-01"))
    if day.year not in _YEARS:
        raise PydanticCustomError("date_range", "must lie between the years 1900 and 2199")
    return day


# Bodies are strict, and JSON has no type for time: these read its text form, and nothing else.
Moment = Annotated[datetime, BeforeValidator(parse_moment)]
Day = Annotated[date, BeforeValidator(parse_day)]


def staff_key(staff: Staff, operation: str, body: StaffBody, *address: str) -> RequestKey | None:
    """The key of a staff request, None without a number; `address` is what the path says beside the body."""
    if body.request_no is None:
        return None
    told = body.model_dump(mode="json", exclude={"request_no"})
    return RequestKey(staff_caller(staff.id), operation, body.request_no, fingerprint([*address, told]))


class Page(BaseModel, Generic[T]):
    items: list[T]
    next_cursor: str | None


class CountedPage(Page[T], Generic[T]):
    """Of a list that people page through, who want to know how long it is."""

    total: int = Field(description="entries that fit the filters, on all pages together")


Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
Cursor = Annotated[str | None, Query(max_length=500)]


def encode_cursor(position: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position, default=str).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> list[Any] | None:
    """Raises InvalidRequest for a cursor that no list of ours has given out."""
    if cursor is None:
        return None
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        position = None
    if not isinstance(position, list):
        raise _bad_cursor()
    return position


def _bad_cursor() -> InvalidRequest:
    return InvalidRequest(faults=(Fault("query.cursor", "is not a cursor of this list", "cursor"),))


def position_of_moment(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The place in a list that is ordered by (moment, id). Raises InvalidRequest."""
    match decode_cursor(cursor):
        case None:
            return None
        case [str() as moment, str() as row_id]:
            with contextlib.suppress(ValueError, PydanticCustomError):
                return parse_moment(moment), UUID(row_id)
        case _:
            pass
    raise _bad_cursor()


def position_of_number(cursor: str | None) -> int | None:
    """The place in a list that is ordered by a number. Raises InvalidRequest."""
    match decode_cursor(cursor):
        case None:
            return None
        case [int() as number] if 0 <= number < 1 << 63:
            return number
        case _:
            pass
    raise _bad_cursor()


def replayable(answer: Answer, *, first_status: int = 201) -> JSONResponse:
    """201 (or what the table says) the first time, 200 with the replay header for a repetition."""
    if answer.replayed:
        return JSONResponse(answer.body, status_code=200, headers={REPLAY_HEADER: "true"})
    return JSONResponse(answer.body, status_code=first_status)
