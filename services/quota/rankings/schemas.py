from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from services.quota.programmes.schemas import Reason
from shared.http.replies import StaffBody

MONTH_FORM = r"^[0-9]{4}-(?:0[1-9]|1[0-2])$"


class Freeze(StaffBody):
    month: Annotated[str, StringConstraints(pattern=MONTH_FORM)]
    reason: Reason | None = Field(default=None, description="needed to correct a month that was frozen")


class ChangeProposed(BaseModel):
    change_id: str
    status: Literal["pending"]


class RankingItem(BaseModel):
    rank: int | None = Field(description="null: no quota, so not ranked")
    hospital_id: str
    hospital: str
    alliance: str
    quota: int
    month_issued: int = Field(description="in the month, net of cancellations")
    issued: int = Field(description="cumulative to the month's end")
    rate: str | None = Field(description="issued ÷ quota, both to the month's end; decimal text")
    rank_change: int | None = Field(description="ranks risen (+) or fallen (−) since last month")
    flagged: bool = Field(description="quota not met, and fewer than three hospitals rank below")


class RankingView(BaseModel):
    month: str
    frozen: bool
    edition: int | None = Field(description="null: live, as of now")
    reason: str | None = Field(description="why there is a further edition")
    as_of: str = Field(description="when it was frozen, or now")
    unattributed: int = Field(description="cards without a hospital at the month's end")
    items: list[RankingItem]
