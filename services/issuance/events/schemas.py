from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from services.issuance.events.rules import State
from shared.http.replies import Moment, StaffBody

_CAPACITY_MAX = 1_000_000
# Faster than this a phone has not read the code; slower than an hour it need not rotate.
_ROTATE_SECONDS_MIN = 15
_ROTATE_SECONDS_MAX = 3600

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
EventChannel = Literal["event", "fitness"]


class EventBody(StaffBody):
    """`rotate_seconds` makes the code change that often; without it the poster's code stays the same."""

    name: Text
    channel: EventChannel
    place: Text
    starts_at: Moment
    ends_at: Moment
    capacity: Annotated[int, Field(ge=1, le=_CAPACITY_MAX)] | None = None
    rotate_seconds: Annotated[int, Field(ge=_ROTATE_SECONDS_MIN, le=_ROTATE_SECONDS_MAX)] | None = None

    @field_validator("ends_at", mode="after")
    @classmethod
    def _ends_after_its_start(cls, ends_at: datetime, info: ValidationInfo) -> datetime:
        starts_at = info.data.get("starts_at")
        if starts_at is not None and ends_at <= starts_at:
            raise PydanticCustomError("ends_before_start", "结束时间必须晚于开始时间")
        return ends_at


class CloseBody(StaffBody):
    reason: Reason


class EventMade(BaseModel):
    event_id: str
    check_in_code: str = Field(description="the one valid now, where it rotates")


class EventView(BaseModel):
    """What everybody may see of an event: never its code."""

    event_id: str
    channel: EventChannel
    name: str
    place: str
    starts_at: str
    ends_at: str
    state: State
    places_left: int | None = Field(description="null: no limit")


class EventDetail(EventView):
    """What the staff at the event need."""

    capacity: int | None
    checked_in: int
    rotate_seconds: int | None
    check_in_code: str
    code_expires_at: str | None = Field(description="null: the code stays the same")


class EventClosed(BaseModel):
    event_id: str
    state: Literal["closed"]
