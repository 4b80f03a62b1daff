from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, Field, StringConstraints

from services.redemption.operators.schemas import OPERATOR, HotOperatorCode, OperatorCode
from shared.http.hot import HotBody, HotRequestNo
from shared.http.replies import Body, StaffBody
from shared.idempotency import RequestNo

REASON_MAX = 500
_TERMINAL_ID = r"^trm_[0-9a-z]{12}"

HotReason = Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_MAX)]
HotTerminalId = Annotated[str, msgspec.Meta(pattern=_TERMINAL_ID + r"\Z")]


class Reverse(Body):
    request_no: RequestNo
    original_request_no: RequestNo
    reason: Annotated[str, StringConstraints(min_length=1, max_length=REASON_MAX)]
    original_terminal_id: Annotated[str, StringConstraints(pattern=_TERMINAL_ID + "$")] | None = Field(
        default=None,
        description="whose number it is, where terminals of one institution may share numbers; "
        "else this terminal's own comes first, then the one other terminal that has it",
    )
    operator: OperatorCode | None = Field(default=None, description=OPERATOR)


class ReverseBody(HotBody, frozen=True):
    request_no: HotRequestNo
    original_request_no: HotRequestNo
    reason: HotReason
    original_terminal_id: HotTerminalId | None = None
    operator: HotOperatorCode | None = None


class Reversal(BaseModel):
    id: str
    request_no: str
    original_request_no: str
    status: Literal["reversed", "blocked"] = Field(
        description="blocked: the original was never seen, and is refused for good when it arrives"
    )
    redemption_id: str | None
    reversed_at: str


class ReversalReply(msgspec.Struct):
    id: str
    request_no: str
    original_request_no: str
    status: str
    redemption_id: str | None
    reversed_at: str


class ReverseByStaff(StaffBody):
    reason: Annotated[str, StringConstraints(min_length=1, max_length=REASON_MAX, strip_whitespace=True)]


class ReversalProposed(BaseModel):
    change_id: str
    status: Literal["pending"]
