"""What a plan may never say, what each limit does to it, and the odds that spend a budget."""

import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.issuance.planning.rules import (
    SPENT_SHARE,
    Outcome,
    PhaseDays,
    Scenario,
    Solver,
    TypePlan,
    observed_days,
    observed_participation,
    plan_begins,
    simulate,
)
from shared.estimates import Share, entered_trend, observed_trend

SURE = Share(1e9, 1e-3)
DAY = date(2020, 11, 1)
FIRST = PhaseDays(1, DAY, DAY + timedelta(days=9))
SECOND = PhaseDays(2, DAY + timedelta(days=10), DAY + timedelta(days=29))


def scenario(
    *,
    daily: int = 100,
    days: int = 5,
    stock: int = 10_000,
    release: int | None = None,
    **changes: Any,  # noqa: ANN401 - any field of a scenario
) -> Scenario:
    """Everybody passes, draws and claims; two types, nothing in short supply."""
    types = (
        TypePlan("checkup", 30_000, stock, 1.0, release),
        TypePlan("general_50", 5_000, stock, 2.0, release),
    )
    plain = Scenario(
        days=days,
        participation=entered_trend([daily]),
        pass_rate=SURE,
        chances_per_pass=1,
        other_chances=0,
        other_chances_attempts=0,
        drawn=None,
        claimed=None,
        types=types,
        left_to_award=sum(entry.stock for entry in types),
        open_awards=0,
        award_valid_days=3,
        participants_per_attempt=0.0,
        draws_per_day=5,
        persons_per_attempt=0.0,
        vouchers_per_person=2,
    )
    return replace(plain, **changes)


def played(plan: Scenario, odds_ppm: int = 200_000, *, runs: int = 500, seed: int = 1) -> Outcome:
    return simulate(plan, odds_ppm, runs=runs, seed=seed)


plans = st.builds(
    scenario,
    daily=st.integers(0, 400),
    days=st.integers(1, 8),
    stock=st.integers(0, 60),
    release=st.none() | st.integers(0, 20),
    pass_rate=st.builds(Share, st.floats(0.5, 50), st.floats(0.5, 50)),
    chances_per_pass=st.integers(0, 3),
    drawn=st.none() | st.just(Share(9, 1)),
    claimed=st.none() | st.just(Share(7, 3)),
    participants_per_attempt=st.sampled_from([0.0, 0.4]),
    persons_per_attempt=st.sampled_from([0.0, 0.3]),
    vouchers_per_person=st.integers(1, 40),
    award_valid_days=st.integers(1, 4),
)


@given(plan=plans, odds_ppm=st.integers(1, 1_000_000), seed=st.integers(0, 99))
@settings(max_examples=80, deadline=None)
def test_one_run_keeps_every_invariant(plan: Scenario, odds_ppm: int, seed: int) -> None:
    """With a single run every band is that run."""
    outcome = played(plan, odds_ppm, runs=1, seed=seed)
    stock = {entry.key: entry.stock for entry in plan.types}
    prices = {entry.key: entry.price_fen for entry in plan.types}
    issued = {key: band.median for key, band in outcome.vouchers.items()}
    assert outcome.passes.median <= outcome.attempts.median
    assert outcome.draws.median <= outcome.passes.median * plan.chances_per_pass
    assert outcome.wins.median <= outcome.draws.median
    assert sum(issued.values()) <= outcome.wins.median
    assert all(0 <= issued[key] <= stock[key] for key in stock)
    assert outcome.money_fen.median == sum(count * prices[key] for key, count in issued.items())
    assert outcome.money_fen.median <= plan.stock_fen
    assert len(outcome.daily) == plan.days
    for name in ("attempts", "passes", "draws", "wins", "money_fen"):
        total = getattr(outcome, name).median
        assert total == sum(getattr(day, name).median for day in outcome.daily)
    wins = 0
    for number, day in enumerate(outcome.daily, start=1):
        wins += day.wins.median
        if plan.types[0].release_per_day is not None:
            out = sum(min(entry.stock, number * (entry.release_per_day or 0)) for entry in plan.types)
            assert sum(d.issued.median for d in outcome.daily[:number]) <= out
    if plan.claimed is None:
        assert wins <= plan.left_to_award


@given(plan=plans, seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_the_same_seed_gives_the_same_outcome(plan: Scenario, seed: int) -> None:
    assert played(plan, runs=20, seed=seed) == played(plan, runs=20, seed=seed)


def test_bands_are_in_their_order_and_hold_what_is_expected() -> None:
    outcome = played(scenario(daily=1_000, days=10), 200_000, runs=2_000)
    assert outcome.attempts.p05 < outcome.attempts.median < outcome.attempts.p95
    assert outcome.attempts.median == pytest.approx(10_000, rel=0.03)
    assert outcome.passes == outcome.attempts
    assert outcome.wins.median == pytest.approx(2_000, rel=0.04)
    liked = outcome.vouchers["general_50"].median / outcome.vouchers["checkup"].median
    assert liked == pytest.approx(2, rel=0.6)


def test_higher_odds_bring_more_wins_from_the_same_people() -> None:
    low, high = played(scenario(), 100_000), played(scenario(), 300_000)
    assert low.attempts == high.attempts
    assert low.wins.p95 < high.wins.p05


def test_draws_end_with_the_last_award() -> None:
    outcome = played(scenario(stock=5, days=3), 500_000)
    assert outcome.wins == outcome.daily[0].wins
    assert (outcome.wins.p05, outcome.wins.p95) == (10, 10)
    assert outcome.exhaustion_day == (1, 1, 1)
    assert outcome.exhaustion_share == 1
    # Ten wins at even odds: about twenty draws of the hundred that people would have made.
    assert 15 < outcome.draws.median < 25
    assert outcome.daily[1].draws.p95 == 0


def test_without_anything_to_award_nobody_draws() -> None:
    assert played(scenario(stock=0), 10).draws.p95 == 0


def test_stock_that_lasts_has_no_exhaustion_day() -> None:
    outcome = played(scenario(), 10_000)
    assert outcome.exhaustion_day == (None, None, None)
    assert outcome.exhaustion_share == 0


def test_who_finds_a_type_gone_chooses_another() -> None:
    few = replace(
        scenario(),
        types=(TypePlan("checkup", 30_000, 3, 1e6), TypePlan("general_50", 5_000, 1_000, 1e-3)),
        left_to_award=1_003,
    )
    outcome = played(few, 500_000)
    assert (outcome.vouchers["checkup"].p05, outcome.vouchers["checkup"].p95) == (3, 3)
    assert outcome.vouchers["general_50"].median == pytest.approx(outcome.wins.median - 3, abs=3)


def test_awards_that_nobody_claims_come_back_after_their_time() -> None:
    unclaimed = scenario(stock=5, days=4, claimed=Share(1e-3, 1e9), award_valid_days=2)
    wins = [day.wins.median for day in played(unclaimed, 1_000_000).daily]
    assert wins == [10, 0, 10, 0]


def test_open_awards_are_claimed_beside_new_ones() -> None:
    plan = scenario(daily=0, days=2, stock=10, open_awards=4, left_to_award=16)
    outcome = played(plan, 200_000)
    assert outcome.wins.p95 == 0
    assert sum(band.median for band in outcome.vouchers.values()) == pytest.approx(4, abs=1)
    assert outcome.daily[0].issued.p05 == 4


def test_release_plan_makes_stock_last() -> None:
    rushed = played(scenario(stock=50, days=5), 1_000_000)
    spread = played(scenario(stock=50, days=5, release=10), 1_000_000)
    assert rushed.daily[0].issued.median > 80
    assert [day.issued.median for day in spread.daily] == [20] * 5
    assert spread.exhaustion_day == (5, 5, 5)


def test_limit_of_vouchers_per_person_slows_the_draws() -> None:
    """A hundred attempts a day by ten persons: at even odds everybody soon has two."""
    crowd = played(scenario(days=10, persons_per_attempt=1.0), 500_000)
    few = played(scenario(days=10, persons_per_attempt=0.01, persons_before=10.0), 500_000)
    assert crowd.wins.median == pytest.approx(500, rel=0.1)
    assert few.wins.median < 100
    free = played(scenario(days=10, persons_per_attempt=0.01, vouchers_per_person=31), 500_000)
    assert free.wins.median == pytest.approx(500, rel=0.1)


def test_limit_of_draws_per_day_holds() -> None:
    plan = scenario(chances_per_pass=3, participants_per_attempt=0.5, draws_per_day=2)
    assert played(plan).draws.median == pytest.approx(500, rel=0.1)


def test_other_ways_earn_chances_too() -> None:
    plan = scenario(other_chances=2_000, other_chances_attempts=4_000)
    assert played(plan).draws.median == pytest.approx(750, rel=0.1)


def test_the_odds_found_spend_the_budget_and_no_lower_ones_do() -> None:
    plan = scenario(daily=2_000, days=10, stock=1_000)
    target = int(SPENT_SHARE * plan.stock_fen)
    odds = Solver(plan, target_fen=target, seed=3).odds()
    assert odds is not None
    assert simulate(plan, odds, runs=2_000, seed=8).money_fen.median >= 0.97 * target
    assert simulate(plan, odds * 9 // 10, runs=2_000, seed=8).money_fen.median < target
    # About 20,000 draws for 2,000 vouchers.
    assert odds == pytest.approx(100_000, rel=0.1)


def test_a_budget_that_even_certain_wins_do_not_spend_has_no_odds() -> None:
    plan = scenario(daily=10, days=2, stock=1_000)
    assert Solver(plan, target_fen=plan.stock_fen, seed=3).odds() is None


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(scenario(daily=100, days=366, stock=5_000), id="plain"),
        pytest.param(scenario(daily=100, days=366, stock=5_000, release=14), id="released day by day"),
        pytest.param(
            scenario(daily=100, days=366, stock=1_000, claimed=Share(60, 40), award_valid_days=30),
            id="awards that come back",
        ),
    ],
)
def test_a_long_plan_finds_the_same_odds_as_its_simulation(plan: Scenario) -> None:
    """It is solved in steps of a week, and played by the day."""
    target = int(SPENT_SHARE * plan.stock_fen)
    odds = Solver(plan, target_fen=target, seed=3).odds()
    assert odds is not None
    assert simulate(plan, odds, runs=500, seed=8).money_fen.median == pytest.approx(target, rel=0.02)


@given(budgets=st.lists(st.integers(10_000, 3_000_000), min_size=2, max_size=3))
@settings(max_examples=10, deadline=None)
def test_a_larger_budget_needs_higher_odds(budgets: list[int]) -> None:
    plan = scenario()
    found = [Solver(plan, target_fen=budget, seed=3).odds() or 1_000_001 for budget in sorted(budgets)]
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("target_fen", "found"), [(1, 80), (800_000, 80), (2_500_000, 40), (4_500_000, 0), (10_000_000, None)]
)
def test_the_highest_pass_score_that_spends_is_found(target_fen: int, found: int | None) -> None:
    """500 attempts are worth 10,000 fen each when they pass; a fifth fewer pass with every 20 points."""
    plan, asked = scenario(types=(TypePlan("general_100", 10_000, 10_000, 1.0),)), []

    def rate(score: int) -> Share:
        asked.append(score)
        return Share(1e8 * (1.001 - score / 100), 1e8 * (score / 100 + 1e-9))

    solver = Solver(plan, target_fen=target_fen, seed=3)
    assert solver.pass_score(1_000_000, [0, 20, 40, 60, 80, 100], rate) == found
    assert len(asked) <= 3


def test_ten_thousand_runs_of_twenty_days_take_less_than_two_seconds() -> None:
    """The better of two, as other work may share the machine."""
    plan = scenario(daily=5_000, days=20, stock=4_000, claimed=Share(90, 10), persons_per_attempt=0.4)
    plan = replace(plan, participation=observed_trend({0: 9000, 1: 7400, 2: 6100}, first_day=3))
    taken = []
    for seed in range(2):
        begin = time.perf_counter()
        played(plan, runs=10_000, seed=seed)
        taken.append(time.perf_counter() - begin)
    assert min(taken) < 2


@pytest.mark.parametrize(
    ("today", "attempts_today", "begins"),
    [
        (DAY - timedelta(days=3), 0, DAY),
        (DAY - timedelta(days=3), 5, DAY),  # of an earlier phase
        (DAY, 0, DAY),
        (DAY, 5, DAY + timedelta(days=1)),
        (DAY + timedelta(days=4), 5, DAY + timedelta(days=5)),
    ],
)
def test_a_plan_begins_with_the_first_day_that_is_its_own(
    today: date, attempts_today: int, begins: date
) -> None:
    assert plan_begins(FIRST, today, attempts_today=attempts_today) == begins


def on(*counts: int, start: date = DAY) -> dict[date, int]:
    return {start + timedelta(days=number): count for number, count in enumerate(counts) if count}


@pytest.mark.parametrize(
    ("attempts", "today", "days"),
    [
        (on(9, 7, 5), 3, {0: 9, 1: 7, 2: 5}),
        (on(9, 7, 5), 2, {0: 9, 1: 7}),  # the third day is not over
        (on(9), 0, {0: 9}),  # nothing better yet
        (on(0, 8, 0, 4), 5, {1: 8, 2: 0, 3: 4, 4: 0}),
        (on(9, 7) | on(3, start=SECOND.first_day), 40, {0: 9, 1: 7} | dict.fromkeys(range(2, 10), 0)),
        ({}, 5, {}),
    ],
)
def test_days_that_are_over_are_observed(attempts: dict[date, int], today: int, days: dict[int, int]) -> None:
    assert observed_days(attempts, FIRST, DAY + timedelta(days=today)) == days


def test_a_new_phase_begins_as_the_one_before_began() -> None:
    attempts = on(9_000, 7_400, 6_100, 4_917)
    observed = observed_participation(
        attempts, [FIRST, SECOND], SECOND, today=DAY + timedelta(days=4), begins=SECOND.first_day
    )
    assert observed is not None
    assert (observed.phase, observed.days, observed.trend.first_day) == (FIRST, 4, 0)
    going_on = observed_participation(
        attempts, [FIRST, SECOND], FIRST, today=DAY + timedelta(days=4), begins=DAY + timedelta(days=4)
    )
    assert going_on is not None
    assert going_on.trend.first_day == 4


def test_without_any_attempt_nothing_is_observed() -> None:
    later = on(5, start=SECOND.first_day)
    assert observed_participation(later, [FIRST, SECOND], FIRST, today=DAY, begins=DAY) is None
