from pydantic import BaseModel, Field

from shared.rates import Rate


class RankedInstitution(BaseModel):
    rank: int = Field(description="ties share a rank, the next rank skips")
    institution_id: str
    name: str
    count: int
    amount_fen: int
    share: Rate = Field(description="of all write-offs of the month")
    distinct_holders: int


class Ranking(BaseModel):
    campaign: str
    month: str
    items: list[RankedInstitution]
