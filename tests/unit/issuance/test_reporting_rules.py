"""Figures add up, and announced odds are compared with observed ones exactly."""

import math
import time
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from services.issuance.reporting.rules import add_up, announced_odds, observed_odds, odds_drift_p
from shared.binomial import two_sided_p
from shared.metrics.store import Figure

CAMPAIGN = UUID(int=1)
DAY, NEXT = date(2020, 11, 1), date(2020, 11, 2)


def figure(measure: str, dim: str, n: int, *, day: date = DAY, dim2: str = "") -> Figure:
    return Figure(CAMPAIGN, day, measure, dim, dim2, n, None)


def test_figures_add_up_by_day_and_over_all() -> None:
    totals = add_up(
        [
            figure("attempt", "passed", 3),
            figure("attempt", "failed", 5),
            figure("participant", "", 6),
            figure("chance", "quiz", 3),
            figure("chance", "event", 1),
            figure("draw", "won", 1, dim2="quiz"),
            figure("draw", "lost", 2, dim2="event"),
            figure("draw_at_odds", "200000", 3),
            figure("issue", "fitness", 1, day=NEXT),
        ]
    )
    everything = totals.all
    assert (everything.attempts, everything.passed, everything.participants) == (8, 3, 6)
    assert (everything.chances, everything.draws, everything.wins, everything.issued) == (4, 3, 1, 1)
    assert {day: sums.draws for day, sums in totals.by_day.items()} == {DAY: 3, NEXT: 0}
    assert totals.issued_by_type == {"fitness": 1}
    assert totals.draws_at == {200_000: 3}


def test_observed_odds_are_rounded_to_six_decimals() -> None:
    totals = add_up([figure("draw", "won", 670), figure("draw", "lost", 2415)])
    assert observed_odds(totals.all) == Decimal("0.217180")
    assert observed_odds(add_up([]).all) is None


@pytest.mark.parametrize(
    ("draws_at", "in_force", "announced"),
    [({}, None, None), ({}, 200_000, "0.2"), ({200_000: 5}, 400_000, "0.2"),
     ({200_000: 1, 400_000: 3}, 1, "0.35")],
)  # fmt: skip
def test_announced_odds_are_those_at_which_draws_were_made(
    draws_at: dict[int, int], in_force: int | None, announced: str | None
) -> None:
    found = announced_odds(draws_at, in_force)
    assert found == (None if announced is None else Decimal(announced))


def exact_p(won: int, draws_at: dict[int, int]) -> float:
    """By definition, with whole numbers of outcomes: feasible for few draws only."""
    pmf = [1.0]
    for odds_ppm, count in draws_at.items():
        odds = odds_ppm / 1_000_000
        one = [math.comb(count, k) * odds**k * (1 - odds) ** (count - k) for k in range(count + 1)]
        pmf = [
            sum(pmf[i] * one[k - i] for i in range(len(pmf)) if 0 <= k - i < len(one))
            for k in range(len(pmf) + len(one) - 1)
        ]
    return min(1.0, sum(p for p in pmf if p <= pmf[won] * (1 + 1e-7)))


@pytest.mark.parametrize(
    ("won", "draws_at"),
    [
        (4, {200_000: 20}),
        (12, {200_000: 20}),
        (0, {200_000: 20}),
        (9, {200_000: 10, 400_000: 12}),
        (1, {900_000: 5, 100_000: 7}),
    ],
)
def test_drift_is_the_exact_two_sided_probability(won: int, draws_at: dict[int, int]) -> None:
    found = odds_drift_p(won, draws_at)
    assert found == pytest.approx(exact_p(won, draws_at), rel=1e-9)


def test_published_670_of_3085_do_not_fit_odds_of_a_fifth() -> None:
    """The published report names 670 vouchers for 3,085 chances at odds of 20 %."""
    found = odds_drift_p(670, {200_000: 3085})
    assert found is not None
    assert 0.01 < found < 0.02


@pytest.mark.parametrize("deviations", [0.0, 0.5, 1.6, 2.5])
@pytest.mark.parametrize(
    "draws_at",
    [
        {200_000: 5_000_000},
        {200_000: 8_000, 400_000: 9_000},
        {200_000: 2_000_000, 250_000: 3_000_000},
        {1_000: 3_000_000, 400_000: 100_000, 990_000: 500_000},
    ],
)
def test_drift_is_told_within_the_time_of_an_answer(draws_at: dict[int, int], deviations: float) -> None:
    """Exactly under one odds, and close to it where several were in force over millions of draws."""
    mean = sum(odds_ppm * count for odds_ppm, count in draws_at.items()) / 1e6
    spread = math.sqrt(sum(count * odds_ppm * (1e6 - odds_ppm) for odds_ppm, count in draws_at.items())) / 1e6
    won = round(mean + deviations * spread)
    begin = time.process_time()
    found = odds_drift_p(won, draws_at)
    taken = time.process_time() - begin
    assert found == pytest.approx(two_sided_p(won, draws_at), abs=0.005)
    assert taken < 0.05


def test_certain_odds_leave_no_doubt() -> None:
    assert odds_drift_p(7, {1_000_000: 7}) == 1.0
    assert odds_drift_p(6, {1_000_000: 7}) == 0.0
    assert odds_drift_p(0, {}) is None
