from datetime import date
from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, Field, StringConstraints

from services.redemption.offline.rules import ITEMS_MAX
from services.redemption.operators.schemas import OPERATOR, HotOperatorCode, OperatorCode
from services.redemption.writeoff.schemas import VOUCHER, HotMoment
from shared.http.hot import HotBody, HotRequestNo
from shared.http.replies import Body, Day, Moment
from shared.idempotency import RequestNo

COUNT_MAX = 1_000_000
APPLIED_FEN_MAX = 10**15
# Wider than what an item may be, so that a bad one is refused by itself and harms no other.
ITEM_TEXT_MAX = 200
ITEM_NUMBER_MAX = 2**53

HotItemText = Annotated[str, msgspec.Meta(max_length=ITEM_TEXT_MAX)]
HotItemNumber = Annotated[int, msgspec.Meta(ge=-ITEM_NUMBER_MAX, le=ITEM_NUMBER_MAX)]


class OfflineItem(Body):
    request_no: Annotated[str, StringConstraints(max_length=ITEM_TEXT_MAX)]
    voucher: str = Field(description=VOUCHER)
    bill_fen: Annotated[int, Field(ge=-ITEM_NUMBER_MAX, le=ITEM_NUMBER_MAX)] | None = None
    used_at: Moment
    operator: OperatorCode | None = Field(default=None, description=OPERATOR)


class Upload(Body):
    batch_no: RequestNo
    items: Annotated[list[OfflineItem], Field(min_length=1, max_length=ITEMS_MAX)]


class OfflineItemBody(HotBody, frozen=True):
    request_no: HotItemText
    voucher: str
    used_at: HotMoment
    bill_fen: HotItemNumber | None = None
    operator: HotOperatorCode | None = None


class UploadBody(HotBody, frozen=True):
    batch_no: HotRequestNo
    items: Annotated[list[OfflineItemBody], msgspec.Meta(min_length=1, max_length=ITEMS_MAX)]


class ItemResult(BaseModel):
    request_no: str
    outcome: Literal["redeemed", "duplicate", "conflict", "refused"]
    reason: str | None = Field(description="for conflict and refused: the word of the refusal")
    redemption_id: str | None


class UploadResult(BaseModel):
    batch_no: str
    results: list[ItemResult]


class DayClose(Body):
    date: Day
    count: Annotated[int, Field(ge=0, le=COUNT_MAX)]
    applied_fen: Annotated[int, Field(ge=0, le=APPLIED_FEN_MAX)]


class DayCloseBody(HotBody, frozen=True):
    date: date
    count: Annotated[int, msgspec.Meta(ge=0, le=COUNT_MAX)]
    applied_fen: Annotated[int, msgspec.Meta(ge=0, le=APPLIED_FEN_MAX)]


class Totals(BaseModel):
    count: int
    applied_fen: int


class ClosedItem(BaseModel):
    id: str
    request_no: str
    voucher_type: str
    applied_fen: int
    redeemed_at: str
    operator: str | None = Field(default=None, description="who worked the till, where somebody was named")


class OperatorTotals(Totals):
    operator: str | None = Field(description="null: nobody was named")


class DayClosed(BaseModel):
    matched: bool
    server: Totals
    items: list[ClosedItem] | None = Field(
        default=None, description="where the totals differ: what the platform has of that day"
    )
    operators: list[OperatorTotals] | None = Field(
        default=None, description="the platform's totals by operator, where any was named that day"
    )


class TotalsReply(msgspec.Struct):
    count: int
    applied_fen: int


class ClosedItemReply(msgspec.Struct, omit_defaults=True):
    id: str
    request_no: str
    voucher_type: str
    applied_fen: int
    redeemed_at: str
    operator: str | None = None


class OperatorTotalsReply(msgspec.Struct):
    operator: str | None
    count: int
    applied_fen: int


class DayClosedReply(msgspec.Struct, omit_defaults=True):
    matched: bool
    server: TotalsReply
    items: list[ClosedItemReply] | None = None
    operators: list[OperatorTotalsReply] | None = None
