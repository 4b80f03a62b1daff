"""Plans are judged by what came: read from two days of a known truth, they are held against the next two."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from services.issuance.planning.rules import Band, Scenario, TypePlan, simulate
from shared.estimates import observed_share, observed_trend

TRIALS = 100
COVERED_MIN = 85
PRICES = {"checkup": 30_000, "fitness": 5_000, "general_50": 5_000, "general_100": 10_000}
LIKING = (0.35, 0.05, 0.40, 0.20)
STOCK = 5_000


@dataclass(frozen=True, slots=True)
class Truth:
    """A campaign as it really is; nothing of this is told to the plan."""

    level: int
    slope: float
    day_noise: float
    pass_rate: float
    odds_ppm: int
    drawn: float = 0.95
    claimed: float = 0.9


@dataclass(frozen=True, slots=True)
class Day:
    attempts: int
    passes: int
    draws: int
    wins: int
    issued: tuple[int, ...]

    @property
    def money_fen(self) -> int:
        return sum(count * price for count, price in zip(self.issued, PRICES.values(), strict=True))


def lived(truth: Truth, day: int, rng: np.random.Generator) -> Day:
    level = truth.level * np.exp(truth.slope * day + truth.day_noise * rng.standard_normal())
    attempts = int(rng.poisson(level))
    passes = int(rng.binomial(attempts, truth.pass_rate))
    draws = int(rng.binomial(passes, truth.drawn))
    wins = int(rng.binomial(draws, truth.odds_ppm / 1e6))
    claims = rng.binomial(wins, truth.claimed)
    return Day(attempts, passes, draws, wins, tuple(int(n) for n in rng.multinomial(claims, LIKING)))


def plan(days: list[Day], more: int) -> Scenario:
    """What days like these tell about the next ones."""
    attempts, passes, draws, wins = (
        sum(getattr(day, name) for day in days) for name in ("attempts", "passes", "draws", "wins")
    )
    issued = [sum(day.issued[place] for day in days) for place in range(len(PRICES))]
    return Scenario(
        days=more,
        participation=observed_trend(
            {number: day.attempts for number, day in enumerate(days)}, first_day=len(days)
        ),
        pass_rate=observed_share(passes, attempts),
        chances_per_pass=1,
        other_chances=0,
        other_chances_attempts=attempts,
        drawn=observed_share(draws, passes),
        claimed=observed_share(sum(issued), wins),
        types=tuple(
            TypePlan(key, price, STOCK, 1 + count)
            for (key, price), count in zip(PRICES.items(), issued, strict=True)
        ),
        left_to_award=STOCK * len(PRICES),
        open_awards=0,
        award_valid_days=3,
        participants_per_attempt=0.0,
        draws_per_day=5,
        persons_per_attempt=0.0,
        vouchers_per_person=2,
    )


def covered(truth: Truth, seed: int) -> Counter[str]:
    rng = np.random.default_rng(seed)
    days = [lived(truth, day, rng) for day in range(4)]
    outcome = simulate(plan(days[:2], more=2), truth.odds_ppm, runs=1_000, seed=seed)
    found: Counter[str] = Counter()
    for name in ("attempts", "passes", "draws", "wins", "money_fen"):
        band: Band = getattr(outcome, name)
        came = sum(getattr(day, name) for day in days[2:])
        found[name] = int(band.p05 <= came <= band.p95)
    return found


def any_truth(rng: np.random.Generator) -> Truth:
    return Truth(
        level=int(rng.integers(300, 10_000)),
        slope=float(rng.normal(-0.1, 0.15)),
        day_noise=float(rng.uniform(0.05, 0.20)),
        pass_rate=float(rng.uniform(0.1, 0.7)),
        odds_ppm=int(rng.integers(100_000, 600_000)),
    )


@pytest.mark.parametrize(
    "truth",
    [
        pytest.param(Truth(9_000, -0.20, 0.10, 0.1125, 200_000), id="falling as in the published days"),
        pytest.param(Truth(9_000, -0.20, 0.15, 0.1125, 200_000), id="the same with wilder days"),
        pytest.param(None, id="another truth each time"),
    ],
)
def test_the_band_from_two_days_covers_the_two_days_after(truth: Truth | None) -> None:
    totals: Counter[str] = Counter()
    for seed in range(TRIALS):
        totals += covered(truth or any_truth(np.random.default_rng([seed, 1])), seed)
    assert len(totals) == 5
    assert {name: count for name, count in totals.items() if count < COVERED_MIN} == {}


def test_more_days_make_the_band_narrower() -> None:
    truth, ratios = Truth(9_000, -0.05, 0.10, 0.1125, 200_000), []
    for observed in (2, 4, 10):
        rng = np.random.default_rng(7)
        days = [lived(truth, day, rng) for day in range(observed)]
        band = simulate(plan(days, more=2), truth.odds_ppm, runs=1_000, seed=7).attempts
        ratios.append(band.p95 / band.p05)
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] > 2
    assert ratios[-1] < 1.6
