from pydantic import BaseModel, Field

MONTH_FORM = r"^[0-9]{4}-(?:0[1-9]|1[0-2])$"


class RankingItem(BaseModel):
    rank: int | None = Field(description="null: no quota, so not ranked")
    hospital_id: str
    hospital: str
    alliance: str
    level: str = Field(description="empty: none is known")
    quota: int
    month_issued: int = Field(description="in the month, net of cancellations")
    issued: int = Field(description="cumulative to the month's end")
    rate: str | None = Field(description="issued ÷ quota, both to the month's end; decimal text")
    rank_change: int | None = Field(description="ranks risen (+) or fallen (−) since last month")
    flagged: bool = Field(description="quota not met, and fewer than three hospitals rank below")
    needed_per_working_day: int | None = Field(
        description="from the month's end to reach the quota; null without `ends_on`, or after it"
    )
    miss_probability: str | None = Field(
        description="as of the month's end, that the quota is not reached by `ends_on`; decimal text"
    )


class LevelList(BaseModel):
    level: str = Field(description="empty: hospitals without a level")
    items: list[RankingItem] = Field(description="ranks, changes and flags within the level")


class RankingView(BaseModel):
    month: str
    frozen: bool
    edition: int | None = Field(description="null: live, as of now")
    reason: str | None = Field(description="why there is a further edition")
    as_of: str = Field(description="when it was frozen, or now")
    allocation_version: int = Field(description="the quotas that it is judged by")
    unattributed: int = Field(description="cards without a hospital at the month's end")
    items: list[RankingItem]
    listed: int = Field(description="hospitals that fit `alliance` and `q`, on all pages together")
    next_cursor: str | None
    alliances: list[str] = Field(description="all that are ranked, to narrow by")
    levels: list[LevelList] | None = Field(description="with `by=level`: a list for each level")
