from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from services.redemption.casefiles.rules import ActionKind
from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.institutions.schemas import Reason
from services.redemption.risk.rules import NOTE_MAX, CaseKind, CaseStatus, Decision
from shared.http.replies import StaffBody


class CaseItem(BaseModel):
    id: str
    kind: CaseKind
    status: CaseStatus
    campaign: str
    institution_id: str
    institution: str
    terminal_id: str | None = Field(description="the till that nearly all of it came from")
    terminal: str | None = Field(description="its label")
    score: int | None = Field(description="0 to 100; null: a fact, not a signal")
    suggested: Decision | None
    first: str | None = Field(serialization_alias="from", description="the window, in campaign days")
    last: str | None = Field(serialization_alias="to")
    evidence: dict[str, Any] = Field(description="for signals `reasons`: code, value seen, threshold")
    redemptions: int = Field(description="write-offs that are evidence")
    opened_at: str
    decided_at: str | None
    decided_by: str | None = Field(description="staff:…")
    decision: Decision | None
    note: str | None


class CaseAction(BaseModel):
    action: ActionKind
    decision: Decision | None
    note: str | None
    effect: dict[str, Any] = Field(description="what it did: held, released, terminal_id, resumed …")
    by: str = Field(description="staff:…")
    at: str


class EvidenceItem(BaseModel):
    redemption_id: str
    terminal_id: str
    terminal: str = Field(description="its label")
    voucher_type: str
    redeemed_at: str
    bill_fen: int | None
    applied_fen: int
    source: str
    status: str
    settled: bool
    held: bool = Field(description="held by this case, and not released")


class CaseDetail(CaseItem):
    items: list[EvidenceItem] = Field(description="in the order of use")
    actions: list[CaseAction] = Field(description="what was done with it, oldest first")
    next_cursor: str | None


class Decide(StaffBody):
    decision: Decision
    note: Annotated[str, StringConstraints(min_length=1, max_length=NOTE_MAX, strip_whitespace=True)]
    terminal_id: Annotated[str, StringConstraints(min_length=1, max_length=SHORT_MAX)] | None = Field(
        default=None, description="which terminal to pause; the case's own without"
    )


class Decided(BaseModel):
    id: str
    status: Literal["decided"]
    decision: Decision
    held: int = Field(description="write-offs that are now held")
    terminal_id: str | None = Field(description="the terminal that was paused")


class Release(Reason):
    pass


class Released(BaseModel):
    id: str
    released: int


class Reopen(Reason):
    pass


class Reopened(BaseModel):
    id: str
    status: Literal["open"]
    released: int = Field(description="write-offs that are no longer held")
    resumed: bool = Field(description="the terminal or institution that it had paused works again")
