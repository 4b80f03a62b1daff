from pydantic import BaseModel, Field

from services.redemption.settlement.rules import HeldCause


class HeldBackItem(BaseModel):
    """A write-off that a run left to a later one, and why."""

    run_id: str = Field(description="the job that settled the period")
    run_at: str
    redemption_id: str
    institution_id: str
    institution: str
    request_no: str
    voucher_type: str
    applied_fen: int
    redeemed_at: str
    received_at: str
    cause: HeldCause
    reasons: list[str] = Field(description="of the holds that were open when it was left out")
    due_from: str | None = Field(description="of a hold period: a run from then on takes it")
    settlement_id: str | None = Field(description="the settlement that has it by now")
