from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from services.redemption.institutions.rules import SHORT_MAX
from shared.http.replies import StaffBody
from shared.rates import Rate

MONTH_FORM = r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$"
REASON_MAX = 500


class RankedInstitution(BaseModel):
    rank: int = Field(description="by `count`; ties share a rank, the next rank skips")
    institution_id: str
    name: str
    category: str
    count: int
    amount_fen: int
    share: Rate = Field(description="of all write-offs of the month")
    distinct_holders: int
    by_voucher_type: dict[str, int]
    flagged: int = Field(description="write-offs that are evidence of a case which nobody dismissed")
    flagged_share: Rate
    hourly_capacity: int | None = Field(description="write-offs an hour, as declared")
    per_capacity: Rate | None = Field(description="write-offs of the month ÷ hourly capacity")
    rank_in_category: int = Field(description="by `count`, among institutions of its category")
    rank_by_holders: int = Field(description="by `distinct_holders`")
    rank_per_capacity: int | None = Field(description="by `per_capacity`; null: no declared capacity")


class Ranking(BaseModel):
    campaign: str
    month: str
    frozen: bool
    edition: int | None = Field(description="null: live, as of now")
    reason: str | None = Field(description="why there is a further edition")
    as_of: str = Field(description="what had reached the platform by then is counted")
    items: list[RankedInstitution]


class FrozenMonth(BaseModel):
    month: str
    edition: int
    reason: str | None = Field(description="why there is a further edition")
    as_of: str
    frozen_at: str


class FrozenMonths(BaseModel):
    items: list[FrozenMonth]


class Freeze(StaffBody):
    campaign: Annotated[str, StringConstraints(min_length=1, max_length=SHORT_MAX)]
    month: Annotated[str, StringConstraints(pattern=MONTH_FORM)]
    reason: (
        Annotated[str, StringConstraints(min_length=1, max_length=REASON_MAX, strip_whitespace=True)] | None
    ) = Field(default=None, description="needed to correct a month that was frozen")
