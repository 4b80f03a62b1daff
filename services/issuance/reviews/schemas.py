from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from services.issuance.activities.rules import State
from services.issuance.activities.schemas import ActivityChannel
from services.issuance.reviews.rules import Reason
from shared.http.replies import StaffBody

Note = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)]


Category = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
_CLAIMED_MAX = 20


class ClaimBody(StaffBody):
    """The oldest that wait, of a campaign and a channel where these are given."""

    campaign: Annotated[str, StringConstraints(max_length=64)] | None = None
    channel: ActivityChannel | None = None
    limit: Annotated[int, Field(ge=1, le=_CLAIMED_MAX)] = 5


class ClaimView(BaseModel):
    """A reviewer has it in hand until then; meanwhile no other decides."""

    staff_id: str
    expires_at: str


class ReviewBody(StaffBody):
    """A rejection needs a note: the citizen is told why."""

    decision: Literal["accept", "reject"]
    note: Annotated[Note | None, Field(validate_default=True)] = None
    category: Annotated[
        Category | None, Field(description="of a lead, as it shall be counted; else as it was sent")
    ] = None

    @field_validator("note", mode="after")
    @classmethod
    def _rejected_with_a_reason(cls, note: str | None, info: ValidationInfo) -> str | None:
        if not note and info.data.get("decision") == "reject":
            raise PydanticCustomError("note_required", "不通过时必须填写原因")
        return note or None


class Reviewed(BaseModel):
    activity_id: str
    status: Literal["accepted", "rejected"]
    chances_granted: int


class PersonView(BaseModel):
    name_masked: str | None = Field(description="null until the identity is verified")
    identity_verified: bool


class PhotoView(BaseModel):
    photo_id: str
    width: int
    height: int


class HintView(BaseModel):
    """Another activity like this one.

    `same_subject`: the same kind of thing at the same place, or the same address, within days.
    """

    activity_id: str
    reasons: list[Reason]
    similarity: int | None = Field(description="of the texts, in per cent")
    same_person: bool
    status: State
    submitted_at: str


class DecisionView(BaseModel):
    decided_by: str
    decided_at: str
    note: str | None


class ReviewItem(BaseModel):
    activity_id: str
    campaign: str
    channel: ActivityChannel
    status: State
    submitted_at: str
    chances_granted: int
    person: PersonView
    evidence: dict[str, Any] = Field(description="as sent; of a check-in the event")
    photos: list[PhotoView]
    duplicate_hints: list[HintView]
    decision: DecisionView | None
    claim: ClaimView | None


class Claimed(BaseModel):
    items: list[ReviewItem]
