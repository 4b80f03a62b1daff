from typing import Annotated, Literal

from pydantic import BaseModel, Field

from services.redemption.institutions.rules import ACCEPTS_MAX
from services.redemption.institutions.schemas import ReasonText, Short
from shared.http.replies import Body, StaffBody

APPLICANTS_MAX = 500


class Applicant(Body):
    institution_id: Short
    voucher_types: Annotated[list[Short], Field(min_length=1, max_length=ACCEPTS_MAX)]


class Admit(StaffBody):
    campaign: Short = Field(description="slug")
    institutions: Annotated[list[Applicant], Field(min_length=1, max_length=APPLICANTS_MAX)]
    reason: ReasonText


class AdmissionProposed(BaseModel):
    change_id: str
    status: Literal["pending"]
