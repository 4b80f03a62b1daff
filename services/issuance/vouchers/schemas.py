from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from services.issuance.campaigns.schemas import Reason
from shared.http.replies import Body, StaffBody

Status = Literal["issued", "redeemed", "expired", "revoked"]


class Revocation(StaffBody):
    """The reason is told to the holder."""

    reason: Reason


class CodeLookUp(Body):
    """A code goes in a body, never in an address: addresses are logged, and a code is as good as money."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class HolderView(BaseModel):
    person_id: str
    name_masked: str | None


class StaffVoucher(BaseModel):
    id: str
    campaign: str
    phase: int
    voucher_type: str
    name: str
    kind: Literal["directed", "general"]
    status: Status
    amount_fen: int = Field(description="face value (general) or settlement price (directed)")
    holder: HolderView
    valid_from: str
    valid_until: str
    issued_at: str
    redeemed_at: str | None
    institution_id: str | None


class Move(BaseModel):
    kind: str = Field(description="issue, redeem, release, reverse, recommit, expire, revoke")
    at: str
    amount_fen: int
    institution_id: str | None
    actor: str


class StaffVoucherDetail(StaffVoucher):
    history: list[Move] = Field(description="what moved its money, oldest first")
