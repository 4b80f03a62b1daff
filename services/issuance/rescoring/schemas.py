from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from services.issuance.calibration.schemas import RateText
from shared.http.replies import Body

# More than a bank's retirements in one go; beyond it, it is a new bank.
_DROP_MAX = 1000


def _id_text(value: object) -> object:
    """Ids are text; a number that was read from one is taken as such."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


QuestionId = Annotated[
    str,
    StringConstraints(pattern=r"^[1-9][0-9]{0,17}$"),
    BeforeValidator(_id_text, json_schema_input_type=str),
]
QuestionIds = Annotated[list[QuestionId], Field(max_length=_DROP_MAX)]
PassScore = Annotated[int, Field(ge=0, le=100)]


class RetirementBody(Body):
    """Without `pass_score` every attempt is judged by the one that it began under."""

    drop_questions: Annotated[QuestionIds, Field(min_length=1)]
    pass_score: PassScore | None = None


class RateBandView(BaseModel):
    """What the responses say, and its 5-95 % band over resampled persons."""

    estimate: RateText
    p05: RateText
    p95: RateText


class RescoredView(BaseModel):
    """`touched` of these attempts held a question that is taken out (or was retired meanwhile)."""

    attempts: int
    touched: int
    before: RateBandView
    after: RateBandView
    change: RateBandView


class RetirementEffectView(RescoredView):
    questions_left: int = Field(description="questions in use that stay in the bank")
