from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from services.quota.attribution.rules import Why
from services.quota.cards.rules import Kind, Outcome
from services.quota.programmes.schemas import Reason
from shared.http.replies import StaffBody


class Assignment(StaffBody):
    hospital_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    reason: Reason


class ChangeProposed(BaseModel):
    change_id: str
    status: Literal["pending"]


class UnattributedItem(BaseModel):
    event_id: str
    issued_at: str
    scene: str | None


class CodeTrace(BaseModel):
    scene: str
    hospital_id: str | None = Field(description="null: nobody's code")
    hospital: str | None
    replaced_at: str | None


class CreditTrace(BaseModel):
    """A line of the count: on `day`, `n` for `hospital_id` (null: unattributed)."""

    measure: Literal["card", "card_used", "card_void"] = Field(
        description="`card_void`: not effective, by a confirmed case of stuffing"
    )
    hospital_id: str | None
    hospital: str | None
    day: str
    n: int
    recorded_at: str


class AssignmentTrace(BaseModel):
    hospital_id: str
    hospital: str
    reason: str
    change_id: str
    assigned_at: str


class CardTrace(BaseModel):
    """The holder's card as it stands; `none` also for a landing or an application."""

    state: Literal["none", "active", "cancelled"]
    hospital_id: str | None
    hospital: str | None
    issued_event_id: str | None
    issued_at: str | None
    used: bool


class Trace(BaseModel):
    """Why an event was counted where it was."""

    event_id: str
    kind: Kind
    at: str
    received_at: str
    source: str
    outcome: Outcome = Field(description="as it was answered on arrival")
    counts: bool = Field(description="whether it counts today")
    effective: bool = Field(
        description="false: the card is evidence of a confirmed case of stuffing and was never used"
    )
    hospital_id: str | None
    hospital: str | None
    counts_in_id: str | None = Field(description="whose line it is part of today: another's after a merger")
    counts_in: str | None
    why: Why
    explanation: str
    note: str | None = Field(description="what became of the hospital: merged, or its codes handed on")
    code: CodeTrace | None
    credits: list[CreditTrace]
    assignment: AssignmentTrace | None
    card: CardTrace
