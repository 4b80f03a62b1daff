from typing import Annotated

from pydantic import BaseModel, Field


class InstitutionFigures(BaseModel):
    institution_id: str
    name: str
    count: int
    applied_fen: int


class DayFigures(BaseModel):
    """A reversal is taken off on its own day, so a day may be below zero; the days add up to the total."""

    date: str
    redeemed: int
    reversed: int
    applied_fen: int


class Metrics(BaseModel):
    as_of: str
    redeemed: Annotated[int, Field(description="live write-offs")]
    reversed: int
    applied_fen: int
    by_voucher_type: dict[str, int]
    by_funding_source: Annotated[dict[str, int], Field(description="applied fen per payer")]
    by_institution: list[InstitutionFigures]
    daily: list[DayFigures]
    open_cases: int


class DayStatistics(BaseModel):
    date: str
    voucher_type: str
    count: int
    applied_fen: int


class Statistics(BaseModel):
    """Live write-offs by day of use and type; a job rolls them up within seconds."""

    institution_id: str
    campaign: str
    items: list[DayStatistics]
