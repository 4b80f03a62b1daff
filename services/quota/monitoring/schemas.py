from pydantic import BaseModel, Field


class HospitalFigures(BaseModel):
    hospital_id: str
    hospital: str
    alliance: str
    quota: int | None
    issued: int
    used: int
    effective: int = Field(description="issued without cards of confirmed cases of stuffing that nobody used")
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
    effective: int = Field(description="issued without cards of confirmed cases of stuffing that nobody used")
    scans: int
    scan_repeats: int = Field(description="of the scans, a device's second and later of the day")
    scan_bots: int = Field(description="of the scans, machines that say so")
    stuffing_cases_open: int = Field(description="days of codes that somebody should look at")
    quota: int | None = Field(description="sum of the quotas in force")
    by_hospital: list[HospitalFigures]
    daily: list[DailyFigures]
