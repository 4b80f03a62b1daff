from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.issuance.exclusions.rules import APPEAL_NOTE_DEFAULT, APPEAL_NOTE_MAX, REASON_MAX, List
from shared.http.replies import Moment, StaffBody

Reason = Annotated[str, StringConstraints(min_length=1, max_length=REASON_MAX, strip_whitespace=True)]
Status = Literal["in_force", "ended", "all"]


class ExclusionBody(StaffBody):
    """Who is named by an id number, which nobody need have brought yet, or by a person's id."""

    list: List
    id_number: Annotated[str, StringConstraints(max_length=100)] | None = None
    person_id: Annotated[str, StringConstraints(max_length=64)] | None = None
    reason: Annotated[Reason, Field(description="for staff only")]
    expires_at: Moment | None = None
    appeal_note: Annotated[
        Annotated[str, StringConstraints(min_length=1, max_length=APPEAL_NOTE_MAX, strip_whitespace=True)],
        Field(description="what the person is told: whom to ask"),
    ] = APPEAL_NOTE_DEFAULT

    @model_validator(mode="after")
    def _names_one_person(self) -> Self:
        if (self.id_number is None) == (self.person_id is None):
            raise PydanticCustomError("subject", "身份证号与人员编号必须且只能填写一个")
        return self


class LiftBody(StaffBody):
    reason: Reason


class ExclusionView(BaseModel):
    id: str
    list: List
    id_number_masked: str | None
    person_id: str | None
    reason: str
    appeal_note: str
    expires_at: str | None
    in_force: bool = Field(description="neither lifted nor over")
    added_at: str
    added_by: str
    lifted_at: str | None
    lifted_by: str | None
    lift_reason: str | None
