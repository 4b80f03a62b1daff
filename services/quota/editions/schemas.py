from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from services.quota.programmes.schemas import Reason
from services.quota.rankings.schemas import MONTH_FORM
from shared.http.replies import StaffBody


class Freeze(StaffBody):
    month: Annotated[str, StringConstraints(pattern=MONTH_FORM)]
    reason: Reason | None = Field(default=None, description="needed to correct a month that was frozen")


class ChangeProposed(BaseModel):
    change_id: str
    status: Literal["pending"]


class EditionItem(BaseModel):
    month: str
    edition: int
    reason: str | None = Field(description="why it corrects the one before it")
    frozen_at: str
    allocation_version: int
    hospitals: int
    quota: int
    issued: int = Field(description="cumulative to the month's end")
    month_issued: int
    unattributed: int
    flagged: list[str] = Field(description="names, in the order of the ranking")


class Editions(BaseModel):
    items: list[EditionItem]


class EditionLine(BaseModel):
    """A hospital's line in an edition."""

    rank: int | None
    quota: int
    month_issued: int
    issued: int
    rank_change: int | None
    flagged: bool
    alliance: str
    level: str


class Difference(BaseModel):
    hospital_id: str
    hospital: str
    fields: list[str] = Field(description="what differs; `listed` when it stands in one of them only")
    before: EditionLine | None
    after: EditionLine | None


class Comparison(BaseModel):
    month: str
    before: EditionItem
    after: EditionItem
    differences: list[Difference]
    unchanged: int = Field(description="hospitals whose lines are the same")
