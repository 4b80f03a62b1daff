from typing import Any, Literal

from pydantic import BaseModel, Field

Subject = Literal[
    "budget_and_shares",
    "limits",
    "settlement_hold",
    "channel",
    "phase",
    "odds",
    "quiz_rule",
    "stock",
    "stock_return",
]


class Decision(BaseModel):
    """Who proposed it and who approved it, when."""

    change_id: str
    kind: str
    proposed_by: str
    proposed_at: str
    approved_by: str | None
    approved_at: str | None


class VersionView(BaseModel):
    """What holds from a moment on; of stock, what was put in or taken out at that moment."""

    subject: Subject
    phase: int | None
    key: str | None = Field(description="of a channel or a voucher type")
    effective_from: str
    reason: str | None
    value: dict[str, Any]
    decision: Decision | None = Field(description="none for what no change made")


class VersionsView(BaseModel):
    slug: str
    items: list[VersionView]
