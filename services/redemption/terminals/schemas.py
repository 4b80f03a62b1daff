from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, Field, StringConstraints

from shared.http.hot import HotBody
from shared.http.replies import Body, StaffBody

LABEL_MAX = 100
DEVICE_ID_MAX = 128
CODE_MAX = 200
_VERSION = r"^[ -~]{1,64}"


class Activate(Body):
    activation_code: Annotated[str, StringConstraints(max_length=CODE_MAX)] = Field(
        examples=["7K2M-9QXD-41TC"]
    )
    device_id: Annotated[str, StringConstraints(min_length=1, max_length=DEVICE_ID_MAX)]


class Activated(BaseModel):
    terminal_id: str = Field(description="the `key_id` to sign with")
    terminal_key: str = Field(description="shown once; sign with its UTF-8 bytes")
    institution_id: str


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


class NewTerminal(StaffBody):
    label: Annotated[str, StringConstraints(min_length=1, max_length=LABEL_MAX, strip_whitespace=True)]


class MadeTerminal(BaseModel):
    terminal_id: str
    activation_code: str = Field(description="shown once; usable once")
    expires_at: str


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
