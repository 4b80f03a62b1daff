from pydantic import BaseModel, Field


class ProgressItem(BaseModel):
    hospital_id: str
    hospital: str
    alliance: str
    quota: int | None = Field(description="null: no allocation in force names this hospital")
    issued: int
    used: int
    rate: str | None = Field(description="issued ÷ quota, decimal text")
    month_issued: int = Field(description="this month, net of cancellations")
    needed_per_day: int | None = Field(description="to reach the quota; null without `ends_on`")
    forecast_date: str | None = Field(description="when the quota is reached at the pace of the last 30 days")


class ProgressAlliance(BaseModel):
    alliance: str
    quota: int
    issued: int
    used: int
    rate: str | None
    month_issued: int


class ProgressView(BaseModel):
    as_of: str
    programme: str
    target: int
    issued_before: int
    issued: int = Field(description="all counted cards")
    attributed: int
    unattributed: int
    used: int
    allocation_version: int | None
    items: list[ProgressItem]
    alliances: list[ProgressAlliance]


class HospitalFigures(BaseModel):
    hospital_id: str
    hospital: str
    alliance: str
    quota: int | None
    issued: int
    used: int
    scans: int


class DailyFigures(BaseModel):
    date: str
    issued: int
    used: int
    scans: int


class QuotaMetrics(BaseModel):
    as_of: str
    programme: str
    target: int
    issued_before: int
    issued: int
    attributed: int
    unattributed: int
    used: int
    scans: int
    quota: int | None = Field(description="sum of the quotas in force")
    by_hospital: list[HospitalFigures]
    daily: list[DailyFigures]
