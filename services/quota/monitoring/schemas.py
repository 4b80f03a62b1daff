from pydantic import BaseModel, Field


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
