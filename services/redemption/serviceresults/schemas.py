from datetime import datetime
from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, Field, StringConstraints

from services.redemption.writeoff.schemas import HotMoment
from shared.http.hot import HotBody, HotRequestNo
from shared.http.replies import Body, Moment, StaffBody
from shared.idempotency import RequestNo

REPORT_NO_MAX, RESULT_MAX = 64, 2000
_KIND = r"^[0-9a-z_]{1,64}"

Status = Literal["waiting", "due", "failed", "delivered", "undeliverable"]
STATUS = (
    "waiting: no platform is set up; due: a job carries it; failed: too often, staff have it tried again; "
    "undeliverable: its holder is forgotten"
)


class ServiceResult(Body):
    request_no: RequestNo
    kind: Annotated[str, StringConstraints(pattern=_KIND + "$")] = Field(examples=["nucleic_acid_test"])
    report_no: Annotated[str, StringConstraints(min_length=1, max_length=REPORT_NO_MAX)]
    result: Annotated[str, StringConstraints(min_length=1, max_length=RESULT_MAX)] = Field(
        examples=["negative"]
    )
    performed_at: Moment


class ServiceResultBody(HotBody, frozen=True):
    request_no: HotRequestNo
    kind: Annotated[str, msgspec.Meta(pattern=_KIND + r"\Z")]
    report_no: Annotated[str, msgspec.Meta(min_length=1, max_length=REPORT_NO_MAX)]
    result: Annotated[str, msgspec.Meta(min_length=1, max_length=RESULT_MAX)]
    performed_at: HotMoment


class Content(msgspec.Struct, frozen=True):
    """What a result says, as it is sealed."""

    kind: str
    report_no: str
    result: str
    performed_at: datetime


class ResultTaken(BaseModel):
    redemption_id: str
    status: Status = Field(description=STATUS)


class ResultStatus(BaseModel):
    redemption_id: str
    status: Status = Field(description=STATUS)
    attempts: int = Field(description="deliveries that were tried")
    reported_at: str
    delivered_at: str | None


class ResultItem(ResultStatus):
    institution_id: str
    terminal_id: str


class DeadResult(BaseModel):
    id: str
    redemption_id: str
    attempts: int
    error: str | None = Field(description="the kind of the last failure")
    created_at: str


class RetryResult(StaffBody):
    pass


class Retried(BaseModel):
    id: str
    status: Literal["queued"]
