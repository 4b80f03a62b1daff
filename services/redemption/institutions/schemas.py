from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.redemption.institutions.rules import ACCEPTS_MAX, NAME_MAX, SHORT_MAX
from shared.http.problems import FaultModel
from shared.http.replies import StaffBody
from shared.openinghours import SPANS_PER_DAY_MAX, WEEKDAYS, NotHours, canonical_hours
from shared.vouchers.categories import category_key

Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_MAX, strip_whitespace=True)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=SHORT_MAX, strip_whitespace=True)]

Category = Annotated[
    Short,
    AfterValidator(category_key),
    Field(description="a published one by its key or its name, or any other text"),
]

ReasonText = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Span = Annotated[str, StringConstraints(max_length=11)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

Status = Literal["active", "paused", "closed"]


def _hours(value: object) -> object:
    """Anything that is not of the form is left to the model, which names it."""
    if not isinstance(value, dict) or not all(
        day in WEEKDAYS and isinstance(spans, list) and all(isinstance(span, str) for span in spans)
        for day, spans in value.items()
    ):
        return value
    try:
        return canonical_hours(value)
    except NotHours as fault:
        raise PydanticCustomError("opening_hours", "{fault}", {"fault": str(fault)}) from None


OpeningHours = Annotated[
    dict[Weekday, Annotated[list[Span], Field(max_length=SPANS_PER_DAY_MAX)]],
    BeforeValidator(_hours),
    Field(description='spans by weekday, "08:00-12:00"; a day that is not named is closed'),
]


class NewInstitution(StaffBody):
    name: Name
    category: Category
    county: Short | None = None
    public: bool | None = Field(default=None, description="publicly owned")
    address: Name | None = None
    credit_code: Short | None = Field(
        default=None, description="unified social credit code (GB 32100); a wrong one is a warning"
    )
    hours: OpeningHours | None = None
    accepts: Annotated[list[Short], Field(min_length=1, max_length=ACCEPTS_MAX)]
    campaign: Short = Field(description="slug")


class MadeInstitution(BaseModel):
    id: str
    warnings: list[FaultModel]
    change_id: str | None = Field(
        default=None, description="the change that approves its types, where the campaign asks for that"
    )


class EditInstitution(StaffBody):
    """What is left out stays; null empties what may be empty. `accepts` is told for one campaign."""

    name: Name | None = None
    category: Category | None = None
    county: Short | None = None
    public: bool | None = None
    address: Name | None = None
    credit_code: Short | None = None
    hours: OpeningHours | None = None
    accepts: Annotated[list[Short], Field(min_length=1, max_length=ACCEPTS_MAX)] | None = None
    campaign: Short | None = Field(default=None, description="slug; told together with `accepts`")
    reason: ReasonText

    @model_validator(mode="after")
    def _sound(self) -> "EditInstitution":
        if any(
            name in self.model_fields_set and getattr(self, name) is None for name in ("name", "category")
        ):
            raise PydanticCustomError("required", "name and category cannot be emptied")
        if (self.accepts is None) != (self.campaign is None):
            raise PydanticCustomError("accepts_of_campaign", "accepts and campaign are told together")
        return self

    def fields(self) -> dict[str, Any]:
        """The columns that were told."""
        columns = ("name", "category", "county", "public", "address", "credit_code", "hours")
        return {name: getattr(self, name) for name in columns if name in self.model_fields_set}


class EditedInstitution(MadeInstitution):
    version: int = Field(description="of its history")


class Membership(BaseModel):
    campaign: str
    accepts: list[str]
    awaiting: list[str] = Field(description="waits for approval; not accepted at its tills yet")


class InstitutionRecord(BaseModel):
    id: str
    name: str
    category: str
    county: str | None
    public: bool | None
    address: str | None
    credit_code: str | None
    hours: dict[str, list[str]] | None
    status: Status
    memberships: list[Membership]
    warnings: list[FaultModel] = Field(description="of its credit code")


class HistoryItem(BaseModel):
    version: int
    cause: Literal["create", "edit", "import", "undo", "approve", "close"]
    before: dict[str, Any] | None = Field(description="null: it was not there")
    entry: dict[str, Any] | None = Field(description="null: it is gone, or closed")
    import_id: str | None
    actor: str
    reason: str | None
    at: str


class InstitutionItem(BaseModel):
    id: str
    name: str
    category: str
    county: str | None
    public: bool | None
    address: str | None
    hours: dict[str, list[str]] | None = Field(description="spans by weekday; null where nobody said")
    accepts: list[str] = Field(description="of the campaign asked for, else of all campaigns together")
    status: Status


class Reason(StaffBody):
    reason: ReasonText


class InstitutionState(BaseModel):
    id: str
    status: Status
