"""What the big screen is told: aggregates only, nobody's name but institutions'."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from shared.rates import Rate


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Choice(_Shown):
    slug: str
    title: str


class CountsModel(_Shown):
    attempts: int
    participants: int = Field(description="persons by day")
    passed: int
    chances: int
    draws: int
    wins: int
    issued: int
    redeemed: int = Field(description="live write-offs; a reversal is taken off on its own day")
    redeemed_fen: int


class CampaignDayModel(CountsModel):
    date: date


class TypeModel(_Shown):
    """issued = outstanding + redeemed + ended; `remaining` is over phases that are not closed."""

    key: str
    name: str
    issued: int
    redeemed: int
    outstanding: int
    ended: int
    remaining: int


class PayerModel(_Shown):
    """budget = available + committed + payable + paid."""

    name: str
    budget_fen: int
    available_fen: int
    committed_fen: int
    payable_fen: int
    paid_fen: int


class WriteOffsModel(_Shown):
    institutions: int
    redeemed: int
    redeemed_fen: int


class CountyModel(WriteOffsModel):
    county: str = Field(description="empty: nobody said")


class RankedInstitutionModel(WriteOffsModel):
    rank: int
    name: str


class CampaignModel(_Shown):
    slug: str
    title: str
    status: str
    assumed: list[str] = Field(description="parts that a demonstration assumes: shares, prices")
    total: CountsModel
    today: CountsModel
    daily: list[CampaignDayModel] = Field(description="the last 30 days; with `earlier` they make the total")
    earlier: CountsModel
    types: list[TypeModel]
    payers: list[PayerModel]
    counties: list[CountyModel]
    institutions: list[RankedInstitutionModel]
    other_institutions: WriteOffsModel


class CardDayModel(_Shown):
    date: date
    issued: int
    used: int
    scans: int


class CardSumModel(_Shown):
    issued: int
    used: int
    scans: int


class UnitModel(_Shown):
    unit: str
    alone: bool
    hospitals: int
    quota: int
    issued: int
    rate: Rate | None


class RankedHospitalModel(_Shown):
    rank: int | None
    name: str
    alliance: str
    quota: int | None
    issued: int
    rate: Rate | None


class ProgrammeModel(_Shown):
    slug: str
    title: str
    target: int
    issued_before: int
    allocated: int | None
    issued: int
    attributed: int
    unattributed: int
    used: int
    scans: int
    rate: Rate | None = Field(description="attributed ÷ allocated")
    today: CardSumModel
    daily: list[CardDayModel]
    earlier: CardSumModel
    units: list[UnitModel]
    hospitals: list[RankedHospitalModel]
    other_hospitals: UnitModel


class ScreenView(BaseModel):
    """`as_of` also stands in the header `X-As-Of`, for an answer that nothing has changed (304)."""

    as_of: str
    refresh_seconds: int
    demo: bool
    campaigns: list[Choice]
    programmes: list[Choice]
    campaign: CampaignModel | None
    programme: ProgrammeModel | None
