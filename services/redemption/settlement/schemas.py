from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.settlement.rules import LineKind, Status
from shared.http.replies import Day, StaffBody

NOTE_MAX = 500
Note = Annotated[str, StringConstraints(min_length=1, max_length=NOTE_MAX, strip_whitespace=True)]


class Settle(StaffBody):
    campaign: Annotated[str, StringConstraints(min_length=1, max_length=SHORT_MAX)] = Field(
        description="slug"
    )
    first: Day = Field(alias="from", description="the first day, in the campaign's time zone")
    last: Day = Field(alias="to", description="the last day, included")


class Confirm(StaffBody):
    pass


class Disputed(StaffBody):
    note: Note = Field(description="what is wrong, for the bureau")


class Dispute(BaseModel):
    note: str
    at: str


class SettlementItem(BaseModel):
    id: str
    campaign: str
    institution_id: str
    institution: str
    first: str = Field(serialization_alias="from")
    last: str = Field(serialization_alias="to")
    count: int = Field(description="write-offs; corrections are not among them")
    corrections: int = Field(description="write-offs of earlier settlements that are taken back")
    amount_fen: int = Field(description="write-offs less corrections; may be below zero")
    by_voucher_type: dict[str, int] = Field(description="write-offs")
    by_funding_source: dict[str, int] = Field(description="fen per payer; they add up to the amount")
    status: Status
    dispute: Dispute | None
    created_at: str
    confirmed_at: str | None
    paid_at: str | None


class LineItem(BaseModel):
    kind: LineKind
    voucher_type: str
    count: int
    amount_fen: int = Field(description="below zero for corrections")
    by_funding_source: dict[str, int]


class SettlementDetail(SettlementItem):
    lines: list[LineItem]


class SettledItem(BaseModel):
    """A write-off in the settlement, or one of an earlier settlement that is taken back in it."""

    redemption_id: str
    kind: LineKind
    request_no: str
    voucher_type: str
    redeemed_at: str
    amount_fen: int = Field(description="below zero for a correction")
    reason: str | None = Field(description="of a correction")
    operator: str | None = Field(default=None, description="who worked the till, where somebody was named")


class SettlementState(BaseModel):
    id: str
    status: Status
    dispute: Dispute | None = None
