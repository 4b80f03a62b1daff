from typing import Literal

from pydantic import BaseModel, Field

from services.redemption.settlement.rules import Status
from shared.http.replies import CountedPage

State = Literal["redeemed", "reversed"]
Source = Literal["online", "batch", "manual"]


class WriteOffItem(BaseModel):
    """A write-off; no person is told, and no code."""

    id: str
    voucher_id: str
    campaign: str
    institution_id: str
    institution: str
    terminal_id: str
    voucher_type: str
    kind: Literal["directed", "general"]
    request_no: str
    bill_fen: int | None = Field(description="of general vouchers")
    applied_fen: int
    redeemed_at: str = Field(description="the time of use")
    received_at: str
    source: Source = Field(description="batch: made without a line; manual: by id number")
    status: State
    settlement_id: str | None
    operator: str | None
    terminal: str = Field(description="its label")
    operator_label: str | None = Field(description="what the institution calls the operator")


class WriteOffPage(CountedPage[WriteOffItem]):
    applied_fen: int = Field(description="of all that fit the filters, also of those undone since")


class ReversalOf(BaseModel):
    at: str
    reason: str
    by: str = Field(description="terminal:…, staff:… or system")
    terminal_id: str


class CorrectionOf(BaseModel):
    amount_fen: int
    reason: str
    at: str
    settlement_id: str | None = Field(description="the settlement that takes it back; null: the next one")


class SettlementOf(BaseModel):
    id: str
    first: str = Field(serialization_alias="from")
    last: str = Field(serialization_alias="to")
    status: Status


class HoldOf(BaseModel):
    id: str
    whole_institution: bool
    reason: str
    placed_at: str
    released_at: str | None


class WriteOffDetail(WriteOffItem):
    payable_fen: int = Field(description="what the customer paid")
    by_funding_source: dict[str, int] = Field(description="applied fen per payer")
    payers: dict[str, str] = Field(description="the payers' names")
    result_reported_at: str | None = Field(description="its service result is with us: no till undoes it")
    reversal: ReversalOf | None
    correction: CorrectionOf | None
    settlement: SettlementOf | None
    holds: list[HoldOf] = Field(description="that keep it, or kept it, out of settlements")
