from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, Field, StringConstraints

from services.redemption.operators.schemas import OPERATOR, HotOperatorCode, OperatorCode
from services.redemption.writeoff.schemas import BillFen, HotBillFen
from shared.http.hot import HotBody, HotRequestNo
from shared.http.replies import Body
from shared.idempotency import RequestNo

REASON_MAX, ID_NUMBER_MAX, TYPE_MAX = 200, 64, 64


class RedeemManually(Body):
    request_no: RequestNo
    id_number: Annotated[str, StringConstraints(max_length=ID_NUMBER_MAX)] = Field(
        description="read from the holder's id card"
    )
    voucher_type: Annotated[str, StringConstraints(min_length=1, max_length=TYPE_MAX)]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=REASON_MAX)]
    bill_fen: BillFen | None = Field(default=None, description="required for general vouchers")
    operator: OperatorCode | None = Field(default=None, description=OPERATOR)


class RedeemManuallyBody(HotBody, frozen=True):
    request_no: HotRequestNo
    id_number: Annotated[str, msgspec.Meta(max_length=ID_NUMBER_MAX)]
    voucher_type: Annotated[str, msgspec.Meta(min_length=1, max_length=TYPE_MAX)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_MAX)]
    bill_fen: HotBillFen | None = None
    operator: HotOperatorCode | None = None


class ManualItem(BaseModel):
    redemption_id: str
    institution_id: str
    institution: str
    terminal_id: str
    terminal: str = Field(description="its label")
    voucher_type: str
    applied_fen: int
    status: Literal["redeemed", "reversed"]
    reason: str | None = Field(description="gone once its holder is forgotten")
    at: str
