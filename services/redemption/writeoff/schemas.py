"""The wire form. Each hot struct carries the constraints of the documented model beside it."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, Field

from services.redemption.operators.schemas import OPERATOR, HotOperatorCode, OperatorCode
from services.redemption.writeoff.rules import BILL_FEN_MAX
from shared.http.hot import HotBody, HotRequestNo
from shared.http.replies import Body, Moment
from shared.idempotency import RequestNo

BillFen = Annotated[
    int, Field(ge=0, le=BILL_FEN_MAX, description="what the customer owes before the voucher")
]

HotBillFen = Annotated[int, msgspec.Meta(ge=0, le=BILL_FEN_MAX)]
HotMoment = Annotated[datetime, msgspec.Meta(tz=True)]

VOUCHER = "the code, as typed or scanned, or the token behind the QR"


class Verify(Body):
    voucher: str = Field(description=VOUCHER)
    bill_fen: BillFen | None = None


class VerifyBody(HotBody, frozen=True):
    voucher: str
    bill_fen: HotBillFen | None = None


class Verified(BaseModel):
    redeemable: bool
    reason: str | None = Field(description="the `code` that a write-off would be refused with")
    voucher_type: str | None
    kind: Literal["directed", "general"] | None
    applied_fen: int | None = Field(description="without a bill: the most that it can be")
    holder_masked: str | None
    valid_until: str | None


class VerifiedReply(msgspec.Struct):
    redeemable: bool
    reason: str | None
    voucher_type: str | None = None
    kind: str | None = None
    applied_fen: int | None = None
    holder_masked: str | None = None
    valid_until: str | None = None


class Redeem(Body):
    request_no: RequestNo
    voucher: str = Field(description=VOUCHER)
    bill_fen: BillFen | None = Field(default=None, description="required for general vouchers")
    used_at: Moment | None = Field(
        default=None, description="when it was used, at most 72 hours ago; decides validity"
    )
    operator: OperatorCode | None = Field(default=None, description=OPERATOR)


class RedeemBody(HotBody, frozen=True):
    request_no: HotRequestNo
    voucher: str
    bill_fen: HotBillFen | None = None
    used_at: HotMoment | None = None
    operator: HotOperatorCode | None = None


class Redemption(BaseModel):
    id: str
    request_no: str
    status: Literal["redeemed"]
    voucher_type: str
    applied_fen: int
    payable_fen: int
    redeemed_at: str


class RedemptionReply(msgspec.Struct):
    id: str
    request_no: str
    voucher_type: str
    applied_fen: int
    payable_fen: int
    redeemed_at: str
    status: Literal["redeemed"] = "redeemed"


class FoundRedemption(BaseModel):
    """`blocked`: its reversal came first, so there is nothing else to tell."""

    id: str | None
    request_no: str
    status: Literal["redeemed", "reversed", "blocked"]
    voucher_type: str | None
    applied_fen: int | None
    payable_fen: int | None
    redeemed_at: str | None
    operator: str | None = None
