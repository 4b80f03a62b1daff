from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from services.redemption.institutions.rules import ACCEPTS_MAX, NAME_MAX, SHORT_MAX
from shared.http.problems import FaultModel
from shared.http.replies import StaffBody

Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_MAX, strip_whitespace=True)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=SHORT_MAX, strip_whitespace=True)]

Status = Literal["active", "paused"]


class NewInstitution(StaffBody):
    name: Name
    category: Short
    county: Short | None = None
    public: bool | None = Field(default=None, description="publicly owned")
    address: Name | None = None
    credit_code: Short | None = Field(
        default=None, description="unified social credit code (GB 32100); a wrong one is a warning"
    )
    accepts: Annotated[list[Short], Field(min_length=1, max_length=ACCEPTS_MAX)]
    campaign: Short = Field(description="slug")


class MadeInstitution(BaseModel):
    id: str
    warnings: list[FaultModel]


class InstitutionItem(BaseModel):
    id: str
    name: str
    category: str
    county: str | None
    public: bool | None
    address: str | None
    accepts: list[str] = Field(description="of the campaign asked for, else of all campaigns together")
    status: Status


class Reason(StaffBody):
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class InstitutionState(BaseModel):
    id: str
    status: Status
