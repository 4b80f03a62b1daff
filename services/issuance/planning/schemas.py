from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from services.issuance.calibration.schemas import RateText, decimal_text
from services.issuance.campaigns.schemas import Fen, Key, Rate
from services.issuance.outcomes.rules import BAND, Band, Outcome
from services.issuance.rescoring.schemas import PassScore, QuestionIds, RescoredView
from shared.estimates import Share
from shared.http.replies import Body

RUNS_DEFAULT = 2_000
RUNS_MAX = 20_000
DAYS_MAX = 366
# More attempts a day than any prefecture has inhabitants.
_DAILY_ATTEMPTS_MAX = 10_000_000
_RELEASE_MAX = 1_000_000_000
_TYPES_MAX = 50
_WAYS_MAX = 5
_SEED_MAX = 2**32 - 1
# So many draws tell the band of a share to three digits.
_BAND_DRAWS = 20_000


def _odds(odds: Decimal) -> Decimal:
    if not 0 < odds <= 1:
        raise PydanticCustomError("odds_range", "中奖率必须大于 0 且不超过 1")
    return odds


def _share(share: Decimal) -> Decimal:
    if not 0 <= share <= 1:
        raise PydanticCustomError("rate_range", "比例必须在 0 与 1 之间")
    return share


_Attempts = Annotated[int, Field(ge=0, le=_DAILY_ATTEMPTS_MAX)]


class ForecastBody(Body):
    """What is left out is as it is now, or as the data say."""

    phase: Annotated[int, Field(ge=1, le=1000)]
    days: Annotated[int, Field(ge=1, le=DAYS_MAX)]
    runs: Annotated[int, Field(ge=1, le=RUNS_MAX)] = RUNS_DEFAULT
    odds: Annotated[Rate, AfterValidator(_odds)] | None = None
    pass_score: PassScore | None = None
    drop_questions: QuestionIds = Field(default_factory=list, description="retired before the plan begins")
    daily_attempts: (
        _Attempts | Annotated[list[_Attempts], Field(min_length=1, max_length=DAYS_MAX)] | None
    ) = Field(default=None, description="one number for every day, or one for each; the last one stays")
    pass_rate: Annotated[Rate, AfterValidator(_share)] | None = Field(
        default=None, description="assumed instead of computed from the answers"
    )
    daily_chances: dict[Key, _Attempts] = Field(
        default_factory=dict,
        max_length=_WAYS_MAX,
        description="chances a day of a way beside the quiz; default: as many to an attempt as so far",
    )
    release_per_day: dict[Key, Annotated[int, Field(ge=0, le=_RELEASE_MAX)]] = Field(
        default_factory=dict,
        max_length=_TYPES_MAX,
        description="so many of a type become claimable a day; default: the phase's release plan",
    )
    budget_fen: Fen | None = Field(
        default=None, description="to be spent; default: the value of the stock left"
    )
    seed: Annotated[int, Field(ge=0, le=_SEED_MAX)] = 1


class Figure(BaseModel):
    """The middle run, and the band that nine of ten runs lie in."""

    p05: int
    median: int
    p95: int

    @classmethod
    def of(cls, band: Band) -> Self:
        return cls(p05=band.p05, median=band.median, p95=band.p95)


class RateFigure(BaseModel):
    p05: RateText
    median: RateText
    p95: RateText

    @classmethod
    def of(cls, share: Share, seed: int) -> Self:
        quantiles = np.quantile(share.draw(np.random.default_rng(seed), _BAND_DRAWS), BAND)
        p05, median, p95 = (decimal_text(float(value)) for value in quantiles)
        return cls(p05=p05, median=median, p95=p95)


class DayFigure(BaseModel):
    """A day of the plan, from 1; null: not within the plan."""

    p05: int | None
    median: int | None
    p95: int | None


class ForecastDay(BaseModel):
    day: int
    date: str
    attempts: Figure
    passes: Figure
    chances: Figure
    draws: Figure
    wins: Figure
    issued: Figure
    money_fen: Figure


class SoFar(BaseModel):
    """What the phase has brought already; not part of the forecast."""

    attempts: int
    passes: int
    draws: int
    wins: int
    money_fen: int


class Basis(BaseModel):
    """What the forecast stands on. `unknown`: no data and nothing entered, so anything is possible."""

    participation: Literal["observed", "entered"]
    observed_phase: int | None
    observed_days: int
    pass_rate: Literal["observed", "entered", "unknown"]
    rescored: RescoredView | None = Field(
        description="the answers so far marked by each attempt's own rule, and by the plan's"
    )
    choice_of_type: int = Field(description="vouchers whose choice of type is known")


class Forecast(BaseModel):
    """Totals over the days of the plan, beginning on `first_day`."""

    phase: int
    first_day: str
    days: int
    runs: int
    odds: RateText
    pass_score: int
    basis: Basis
    so_far: SoFar
    pass_rate: RateFigure
    attempts: Figure
    passes: Figure
    chances: Figure
    chances_by_channel: dict[str, Figure]
    draws: Figure
    wins: Figure
    money_fen: Figure
    exhaustion_day: DayFigure = Field(description="the day on which nothing is left to award")
    exhaustion_share: RateText = Field(description="share of the runs in which that happens")
    vouchers: dict[str, Figure]
    daily: list[ForecastDay]
    budget_fen: int
    odds_to_spend_budget: RateText | None = Field(
        description="the lowest odds at which half of the runs spend the budget; null: not even odds of 1"
    )
    pass_score_to_spend_budget: int | None = Field(
        description="the highest pass score that does so at the plan's odds; null: none, or no answers yet"
    )


def told(outcome: Outcome, begins: date) -> dict[str, Any]:
    """The simulated fields of a forecast."""
    p05, median, p95 = outcome.exhaustion_day
    return {
        "attempts": Figure.of(outcome.attempts),
        "passes": Figure.of(outcome.passes),
        "chances": Figure.of(outcome.chances),
        "chances_by_channel": {key: Figure.of(band) for key, band in outcome.chances_by_way.items()},
        "draws": Figure.of(outcome.draws),
        "wins": Figure.of(outcome.wins),
        "money_fen": Figure.of(outcome.money_fen),
        "exhaustion_day": DayFigure(p05=p05, median=median, p95=p95),
        "exhaustion_share": decimal_text(outcome.exhaustion_share),
        "vouchers": {key: Figure.of(band) for key, band in outcome.vouchers.items()},
        "daily": [
            ForecastDay.model_validate(
                {"day": number + 1, "date": (begins + timedelta(days=number)).isoformat()} | asdict(bands)
            )
            for number, bands in enumerate(outcome.daily)
        ],
    }
