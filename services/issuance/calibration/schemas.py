from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, Field

from services.issuance.calibration.rules import Finding, Verdict
from shared.rates import rate_text

_PLACES = Decimal("0.000001")

# Shares, intervals and correlations: decimal text with at most six decimals, like every rate.
RateText = Annotated[str, Field(examples=["0.412"])]


def decimal_text(value: float) -> str:
    return rate_text(Decimal(value).quantize(_PLACES))


class OptionView(BaseModel):
    """How often an option was chosen: by all, by the best and by the weakest 27 % of attempts."""

    key: str
    right: bool
    chosen: RateText
    upper: RateText
    lower: RateText
    finding: Finding | None = Field(
        description="of a wrong option. unused: surely fewer than 5 % choose it; preferred_by_best: the best "
        "attempts surely choose it more often than a right option, and more often than the weakest do"
    )


class QuestionStatistics(BaseModel):
    """A question's figures; null where there are no responses, or none that differ, to compute them from."""

    question_id: str
    text: str
    difficulty: int
    retired: bool
    attempts: int
    facility: RateText | None = Field(description="share of the attempts that got it right")
    facility_low: RateText | None = Field(description="95 % interval (Wilson)")
    facility_high: RateText | None
    discrimination: RateText | None = Field(
        description="share right among the best 27 % of attempts minus that among the weakest 27 %"
    )
    point_biserial: RateText | None = Field(description="correlation with the rest of the attempt")
    options: list[OptionView]
    verdict: Verdict = Field(
        description="from 30 attempts on; below 200 only where the interval leaves no doubt"
    )


class StatisticsPage(BaseModel):
    """`attempts` were evaluated, of `attempts_answered`, as of `as_of`.

    Up to 30,000 answered attempts all are evaluated at once. Beyond, a random sample of persons, until a job
    (`POST …/questions/statistics`) has evaluated all of them; then what it kept.
    """

    as_of: str
    attempts: int
    attempts_answered: int
    items: list[QuestionStatistics]
    next_cursor: str | None
    total: int = Field(description="questions that fit, on all pages together")
