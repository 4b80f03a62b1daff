from typing import Literal

from pydantic import BaseModel, Field

from shared.documents.reports import ImportReport

Origin = Literal["shipped", "imported", "weekdays"]


class WorkingYear(BaseModel):
    year: int
    origin: Origin = Field(
        description="`shipped`, or `imported` by staff; `weekdays`: no calendar, so Monday to Friday"
    )
    edition: int | None = Field(description="of the import; null when shipped")
    source: str | None = Field(description="the notice that the days are taken from")
    working_days: int = Field(description="in the whole year")


class NamedDay(BaseModel):
    date: str
    works: bool = Field(description="false: a day off; true: a weekend that is worked")
    name: str


class WorkingYearDays(WorkingYear):
    days: list[NamedDay] = Field(description="the days that the notice names")


class WorkingYears(BaseModel):
    items: list[WorkingYear]


class WorkingYearReport(ImportReport):
    year: int
    edition: int | None = Field(description="the new one; null: nothing was written")
    working_days: int = Field(description="in the year by this file")
    changed: list[str] = Field(description="days that are working days now and were none, or the reverse")
