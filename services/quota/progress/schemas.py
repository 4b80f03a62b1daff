from pydantic import BaseModel, Field


class ProgressItem(BaseModel):
    hospital_id: str
    hospital: str
    alliance: str
    quota: int | None = Field(description="null: no allocation in force names this hospital")
    issued: int
    used: int
    effective: int = Field(description="issued without cards of confirmed cases of stuffing that nobody used")
    rate: str | None = Field(description="issued ÷ quota, decimal text")
    month_issued: int = Field(description="this month, net of cancellations")
    needed_per_day: int | None = Field(description="to reach the quota; null without `ends_on`")
    needed_per_working_day: int | None = Field(
        description="the same on working days only; null without `ends_on`, or when none is left"
    )
    pace_per_working_day: str | None = Field(description="mean of the last 30 days' working days")
    lead: str | None = Field(description="`rate` − `time_share`; below zero: behind the calendar")
    forecast_date: str | None = Field(description="when the quota is reached at the pace of the last 30 days")
    forecast_early: str | None = Field(description="one in ten comes before; null: reached, or unknown")
    forecast_late: str | None = Field(description="one in ten comes after; null: reached, unknown, or never")
    expected: int | None = Field(description="cards at `ends_on`, if things go on as they went")
    miss_probability: str | None = Field(
        description="that the quota is not reached by `ends_on`; decimal text, null without an end or a week"
    )


class ProgressAlliance(BaseModel):
    alliance: str
    quota: int
    issued: int
    used: int
    effective: int = Field(description="issued without cards of confirmed cases of stuffing that nobody used")
    rate: str | None
    month_issued: int
    needed_per_working_day: int | None = Field(description="what its hospitals lack, on working days only")
    lead: str | None = Field(description="`rate` − `time_share`")
    expected: int | None = Field(description="sum of its hospitals'; null when one has none")


class ProgressUnit(BaseModel):
    """An alliance, or a hospital that stands alone: all units add up to all hospitals."""

    unit: str = Field(description="the alliance's or the hospital's name")
    hospital_id: str | None = Field(description="of a hospital that stands alone")
    hospitals: int
    quota: int
    issued: int
    used: int
    month_issued: int
    rate: str | None


class Warned(BaseModel):
    """A hospital that is more likely than not to miss its quota."""

    hospital_id: str
    hospital: str
    alliance: str
    quota: int
    issued: int
    expected: int
    shortfall: int = Field(description="quota − expected")
    miss_probability: str
    needed_per_working_day: int | None
    pace_per_working_day: str | None


class ProgressView(BaseModel):
    as_of: str
    programme: str
    target: int
    issued_before: int
    issued: int = Field(description="all counted cards")
    attributed: int
    unattributed: int
    used: int
    effective: int = Field(description="issued without cards of confirmed cases of stuffing that nobody used")
    allocation_version: int | None
    starts_on: str | None = Field(
        description="behind `issued_before`, else the first card; null: no card yet"
    )
    ends_on: str | None
    progress_share: str | None = Field(description="attributed ÷ sum of the quotas")
    time_share: str | None = Field(description="days over ÷ days from start to end; null without an end")
    working_time_share: str | None = Field(description="the same in working days")
    working_days_left: int | None = Field(description="until the end, today counted if it is one")
    years_by_weekday: list[int] = Field(
        description="years without a calendar, whose working days are simply Monday to Friday"
    )
    items: list[ProgressItem]
    listed: int = Field(description="hospitals that fit `alliance` and `q`, on all pages together")
    next_cursor: str | None
    alliances: list[ProgressAlliance]
    units: list[ProgressUnit] = Field(description="alliances, then each hospital that stands alone")
    warnings: list[Warned] = Field(
        description="likely to miss their quotas, the surest first; in pages: at most `limit` of them"
    )
    warned: int = Field(description="how many are likely to miss")
