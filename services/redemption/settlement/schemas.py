from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.payees.schemas import MaskedAccount
from services.redemption.settlement.rules import HeldCause, LineKind, Status
from shared.http.replies import CountedPage, Day, StaffBody

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
    payers: dict[str, str] = Field(description="the payers' names")
    status: Status
    dispute: Dispute | None = Field(description="that waits for an answer")
    revision: int = Field(description="above 1: computed anew after a dispute that was right")
    created_at: str
    confirmed_at: str | None
    paid_at: str | None


class SettlementPage(CountedPage[SettlementItem]):
    """With the sums of all that fit the filters."""

    count: int = Field(description="write-offs")
    amount_fen: int
    by_funding_source: dict[str, int]
    payers: dict[str, str] = Field(description="the payers' names")


class LineItem(BaseModel):
    kind: LineKind
    voucher_type: str
    count: int
    amount_fen: int = Field(description="below zero for corrections")
    by_funding_source: dict[str, int]


class DisputeItem(BaseModel):
    note: str
    at: str
    outcome: Literal["upheld", "rejected", "confirmed", "restated"] | None = Field(
        description="null: waits for an answer; confirmed: by the institution, all the same"
    )
    reason: str | None
    ended_at: str | None
    withdrawn: list[str] = Field(description="redemption ids that were taken back, because it was right")


class EarlierRevision(BaseModel):
    revision: int
    amount_fen: int
    lines: list[LineItem]


class HeldBackSum(BaseModel):
    """What the run left to a later one; `…/settlements/held-back` lists it."""

    cause: HeldCause = Field(
        description="hold_period: too young; write_off_hold, institution_hold: somebody looks at it"
    )
    count: int
    amount_fen: int


class SettlementDetail(SettlementItem):
    lines: list[LineItem]
    disputes: list[DisputeItem] = Field(description="all that there were, the first one first")
    earlier: list[EarlierRevision] = Field(description="what it said before")
    held_back: list[HeldBackSum]
    payee: MaskedAccount | None = Field(description="it was paid to this account, or would be now")


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
