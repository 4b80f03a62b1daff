from typing import Literal

from pydantic import BaseModel, Field

from services.quota.programmes.schemas import Reason
from services.quota.signals.rules import Signal
from services.quota.stuffing.rules import CaseStatus, Decision
from shared.http.replies import StaffBody


class CaseReason(BaseModel):
    code: str
    value: float = Field(description="what was seen")
    threshold: float = Field(description="from where on it counts; 0: told for information")
    told: str = Field(description="in words")
    told_en: str


class CaseItem(BaseModel):
    """A day of a code that looks as if cards were made up."""

    id: str
    kind: Signal
    status: CaseStatus
    hospital_id: str
    hospital: str
    scene: str
    day: str
    score: int = Field(description="60 at the threshold, 100: hardly anything else explains it")
    reasons: list[CaseReason]
    why: str = Field(description="in one sentence")
    why_en: str
    cards: int = Field(description="cards that are evidence")
    not_effective: int = Field(description="of them, those that a confirmed case keeps out of `effective`")
    opened_at: str
    decided_at: str | None
    reason: str | None = Field(description="why it was decided so")
    change_id: str | None = Field(description="of the last confirmation or withdrawal")


class EvidenceItem(BaseModel):
    """A card by the event that opened it; no person is told."""

    event_id: str
    at: str
    device: str | None = Field(description="equal for one device, within this case")
    used: bool
    stands: bool = Field(description="false: cancelled, or another event has become the card's")
    effective: bool


class CaseDetail(CaseItem):
    items: list[EvidenceItem] = Field(description="in the order of time")
    next_cursor: str | None


class Decide(StaffBody):
    status: Decision
    reason: Reason


class Decided(BaseModel):
    id: str
    status: CaseStatus


class Proposal(StaffBody):
    reason: Reason


class Proposed(BaseModel):
    change_id: str
    status: Literal["pending"]
