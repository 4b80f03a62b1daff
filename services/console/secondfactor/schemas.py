from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from services.console.secondfactor.rules import CODE_LENGTH_MAX
from shared.http.replies import Body, StaffBody

Code = Annotated[
    str,
    StringConstraints(min_length=1, max_length=CODE_LENGTH_MAX),
    Field(description="six digits, or a recovery code", examples=["492039"]),
]


class BeginBody(StaffBody):
    pass


class ConfirmBody(StaffBody):
    code: Code


class TurnOffBody(Body):
    password: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    code: Code


class ResetBody(StaffBody):
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class StandingReply(BaseModel):
    enabled: bool
    enabled_at: str | None
    recovery_codes_left: int


class EnrolmentReply(BaseModel):
    secret: str = Field(description="base32, for typing it in")
    address: str = Field(description="`otpauth://…`, for a QR code")


class ConfirmedReply(BaseModel):
    enabled_at: str
    recovery_codes: list[str] = Field(description="shown this once; each stands in for one code")


class ResetReply(BaseModel):
    id: str
    reset_at: str
