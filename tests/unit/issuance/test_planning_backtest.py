"""Plans are judged by what came: read from two days of a known truth, they are held against the next two."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pytest

from services.issuance.outcomes.rules import Band, simulate
from services.issuance.planning.rules import (
    Assumed,
    Day,
    Facts,
    PhaseDays,
    TypeFacts,
    observed_trend_of,
    scenario,
)
from services.issuance.simulation.rules import Scenario
from shared.estimates import dispersion, observed_share

TRIALS = 100
COVERED_MIN = 85
PRICES = {"checkup": 30_000, "fitness": 5_000, "general_50": 5_000, "general_100": 10_000}
LIKING = (0.35, 0.05, 0.40, 0.20)
STOCK = 5_000


FIGURES = ("attempts", "passes", "chances", "draws", "wins", "money_fen")
BEGIN = date(2020, 11, 1)
PHASE = PhaseDays(1, BEGIN, BEGIN + timedelta(days=9))


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
    events: float = 0.05


def lived(truth: Truth, day: int, rng: np.random.Generator) -> Day:
    """What the roll-ups would tell about the day."""
    level = truth.level * np.exp(truth.slope * day + truth.day_noise * rng.standard_normal())
    attempts = int(rng.poisson(level))
    passes = int(rng.binomial(attempts, truth.pass_rate))
    events = int(rng.poisson(truth.events * attempts))
    draws = int(rng.binomial(passes + events, truth.drawn))
    wins = int(rng.binomial(draws, truth.odds_ppm / 1e6))
    issued = [int(n) for n in rng.multinomial(rng.binomial(wins, truth.claimed), LIKING)]
    return Day(
        attempts=attempts,
        passed=passes,
        chances=Counter(quiz=passes, event=events),
        draws=draws,
        wins=wins,
        money_fen=sum(count * price for count, price in zip(issued, PRICES.values(), strict=True)),
        issued=dict(zip(PRICES, issued, strict=True)),
    )


def plan(days: list[Day], more: int) -> Scenario:
    """What the planner makes of such days; the pass rate is read as it reads it without retirements."""
    stock = {key: STOCK - sum(day.issued[key] for day in days) for key in PRICES}
    wins, issued = sum(day.wins for day in days), STOCK * len(PRICES) - sum(stock.values())
    facts = Facts(
        timezone="Asia/Shanghai",
        today=BEGIN + timedelta(days=len(days)),
        phases=[PHASE],
        phase=PHASE,
        days={BEGIN + timedelta(days=number): day for number, day in enumerate(days)},
        types=[TypeFacts(key, price, stock[key], STOCK - stock[key]) for key, price in PRICES.items()],
        ways=["quiz", "event"],
        chances_per_pass=1,
        left_to_award={1: sum(stock.values())},
        waiting=0,
        waiting_everywhere=0,
        persons=0,
        award_valid_days=3,
        draws_per_day=5,
        draws_per_phase=None,
        vouchers_per_phase=2,
    )
    assert issued <= wins
    passes, attempts = [day.passed for day in days], [day.attempts for day in days]
    pass_rate = observed_share(sum(passes), sum(attempts), dispersion=dispersion(passes, attempts))
    observed = observed_trend_of(facts, facts.attempts)
    found = scenario(facts, Assumed(days=more), observed=observed, pass_rate=pass_rate)
    assert found is not None
    return found


def came(days: list[Day], name: str) -> int:
    if name == "chances":
        return sum(day.chances.total() for day in days)
    return sum(int(getattr(day, {"passes": "passed"}.get(name, name))) for day in days)


def covered(truth: Truth, seed: int) -> Counter[str]:
    """The figures that lie in their bands: of both days together, and of each of them."""
    rng = np.random.default_rng(seed)
    days = [lived(truth, day, rng) for day in range(4)]
    outcome = simulate(plan(days[:2], more=2), truth.odds_ppm, runs=1_000, seed=seed)
    found: Counter[str] = Counter()
    for name in FIGURES:
        band: Band = getattr(outcome, name)
        found[name] = int(band.p05 <= came(days[2:], name) <= band.p95)
        for number, day in enumerate(outcome.daily, start=1):
            on_day: Band = getattr(day, name)
            found[f"{name} of day {number}"] = int(
                on_day.p05 <= came(days[1 + number : 2 + number], name) <= on_day.p95
            )
    for key, band in outcome.vouchers.items():
        found[key] = int(band.p05 <= sum(day.issued[key] for day in days[2:]) <= band.p95)
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
    assert len(totals) == 3 * len(FIGURES) + len(PRICES)
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
