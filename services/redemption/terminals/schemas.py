from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, Field, StringConstraints

from shared.http.hot import HotBody
from shared.http.replies import Body, StaffBody

_VERSION = r"^[ -~]{1,64}"


class CheckIn(Body):
    version: Annotated[str, StringConstraints(pattern=_VERSION + "$")] | None = Field(
        default=None, description="of the terminal's software, shown to staff"
    )


class CheckInBody(HotBody, frozen=True):
    version: Annotated[str, msgspec.Meta(pattern=_VERSION + r"\Z")] | None = None


class CheckedIn(BaseModel):
    terminal_key: str
    server_time: str


class CheckedInReply(msgspec.Struct):
    terminal_key: str
    server_time: str


class Reason(StaffBody):
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class TerminalState(BaseModel):
    terminal_id: str
    status: Literal["pending", "active", "paused", "revoked"]


class TerminalItem(BaseModel):
    terminal_id: str
    label: str
    status: Literal["pending", "active", "paused", "revoked"]
    device_id: str | None
    activated_at: str | None
    last_seen_at: str | None
    activation_expires_at: str | None


class Terminals(BaseModel):
    items: list[TerminalItem]
