"""What a plan may never say, what each limit does to it, and the odds that spend a budget."""

import time
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.issuance.outcomes.rules import SPENT_SHARE, Outcome, Solver, simulate
from services.issuance.phases.rules import Release
from services.issuance.planning.rules import (
    Assumed,
    Day,
    Facts,
    PhaseDays,
    TypeFacts,
    observed_days,
    observed_trend_of,
)
from services.issuance.planning.rules import scenario as scenario_of
from services.issuance.simulation.rules import Scenario, TypePlan, WayPlan
from shared.clock import CHINA
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
    claimable = None if release is None else tuple(release * (day + 1) for day in range(days))
    types = (
        TypePlan("checkup", 30_000, stock, 1.0, claimable),
        TypePlan("general_50", 5_000, stock, 2.0, claimable),
    )
    plain = Scenario(
        days=days,
        participation=entered_trend([daily]),
        pass_rate=SURE,
        chances_per_pass=1,
        ways=(),
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
    draws_per_person=st.none() | st.integers(1, 40),
    ways=st.sampled_from(
        [(), (WayPlan("share", chances=30, attempts=100), WayPlan("event", trend=entered_trend([8])))]
    ),
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
    assert outcome.draws.median <= outcome.chances.median
    assert outcome.chances.median == sum(band.median for band in outcome.chances_by_way.values())
    assert outcome.chances_by_way["quiz"].median == outcome.passes.median * plan.chances_per_pass
    assert outcome.wins.median <= outcome.draws.median
    assert sum(issued.values()) <= outcome.wins.median
    assert all(0 <= issued[key] <= stock[key] for key in stock)
    assert outcome.money_fen.median == sum(count * prices[key] for key, count in issued.items())
    assert outcome.money_fen.median <= plan.stock_fen
    assert len(outcome.daily) == plan.days
    for name in ("attempts", "passes", "chances", "draws", "wins", "money_fen"):
        total = getattr(outcome, name).median
        assert total == sum(getattr(day, name).median for day in outcome.daily)
    wins = 0
    for number, day in enumerate(outcome.daily, start=1):
        wins += day.wins.median
        if plan.types[0].claimable is not None:
            out = sum(min(entry.stock, (entry.claimable or ())[number - 1]) for entry in plan.types)
            assert sum(d.issued.median for d in outcome.daily[:number]) <= out
    # Awards come back when nobody claims them, or nothing is put out in time.
    if plan.claimed is None and plan.types[0].claimable is None:
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
    """Awards go at once, vouchers as they are put out; who waits too long loses the award to another."""
    rushed = played(scenario(stock=50, days=5), 1_000_000)
    spread = played(scenario(stock=50, days=5, release=10), 1_000_000)
    assert rushed.daily[0].issued.median > 80
    assert [day.issued.median for day in spread.daily] == [20] * 5
    # Forty of the hundred winners of the first days found nothing within three days.
    wins = [day.wins.median for day in spread.daily]
    assert wins[0] + wins[1] == pytest.approx(100, abs=2)
    assert wins[2] == 0
    assert wins[3] + wins[4] == pytest.approx(40, abs=3)


def test_winners_wait_for_the_next_release_as_long_as_their_award_is_valid() -> None:
    """Nothing on the first two days, everything on the third: one day too late for the first winners."""
    types = (TypePlan("checkup", 30_000, 10, 1.0, (0, 0, 10, 10)),)
    plan = scenario(days=4, types=types, left_to_award=10)
    in_time = played(replace(plan, award_valid_days=3), 1_000_000)
    assert [day.issued.median for day in in_time.daily] == [0, 0, 10, 0]
    assert in_time.wins.p95 == 10
    too_late = played(replace(plan, award_valid_days=2), 1_000_000)
    assert [day.wins.median for day in too_late.daily] == [10, 0, 10, 0]
    assert [day.issued.median for day in too_late.daily] == [0, 0, 10, 0]


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
    plan = scenario(
        ways=(
            WayPlan("share", chances=2_000, attempts=4_000),
            WayPlan("event", trend=entered_trend([20])),
            WayPlan("fitness"),
        )
    )
    outcome = played(plan)
    assert outcome.draws.median == pytest.approx(850, rel=0.1)
    medians = {key: band.median for key, band in outcome.chances_by_way.items()}
    assert medians == {
        "quiz": pytest.approx(500, rel=0.1),
        "share": pytest.approx(250, rel=0.1),
        "event": pytest.approx(100, rel=0.1),
        "fitness": 0,
    }


def test_limit_of_draws_per_phase_slows_the_draws() -> None:
    plan = scenario(days=10, persons_per_attempt=0.1, vouchers_per_person=40)
    free, limited = played(plan), played(replace(plan, draws_per_person=5))
    assert free.draws.median == pytest.approx(1_000, rel=0.1)
    assert limited.draws.median < 0.6 * free.draws.median


def test_nobody_takes_part_and_nothing_happens() -> None:
    outcome = played(scenario(daily=0), 1_000_000)
    assert outcome.chances.p95 == outcome.wins.p95 == outcome.money_fen.p95 == 0
    assert outcome.exhaustion_day == (None, None, None)


def test_certain_wins_on_a_single_day_give_everybody_a_voucher() -> None:
    outcome = played(scenario(days=1), 1_000_000)
    assert outcome.attempts == outcome.wins == outcome.daily[0].issued
    assert len(outcome.daily) == 1


@given(odds=st.lists(st.integers(1, 1_000_000), min_size=2, max_size=2), seed=st.integers(0, 20))
@settings(max_examples=25, deadline=None)
def test_higher_odds_never_bring_fewer_wins_or_cost_less(odds: list[int], seed: int) -> None:
    """As medians of many runs: one run may have bad luck."""
    low, high = (played(scenario(stock=60), odds_ppm, runs=400, seed=seed) for odds_ppm in sorted(odds))
    slack = 3 + 0.03 * low.wins.median
    assert high.wins.median >= low.wins.median - slack
    assert high.money_fen.median >= low.money_fen.median * 0.93 - 100_000
    assert high.exhaustion_share >= low.exhaustion_share - 0.05


@given(rates=st.lists(st.integers(0, 100), min_size=2, max_size=2), seed=st.integers(0, 20))
@settings(max_examples=25, deadline=None)
def test_who_passes_more_often_wins_more(rates: list[int], seed: int) -> None:
    """A lower pass score lets more attempts pass; that is all it does."""
    few, many = (
        played(scenario(pass_rate=Share(1e7 * rate + 0.5, 1e7 * (100 - rate) + 0.5)), runs=400, seed=seed)
        for rate in sorted(rates)
    )
    assert few.attempts == many.attempts
    assert many.passes.median >= few.passes.median
    assert many.wins.median >= few.wins.median - 3 - 0.05 * few.wins.median


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


def test_ten_times_the_runs_take_about_ten_times_as_long() -> None:
    """The better of two, as other work may share the machine."""
    plan = scenario(daily=5_000, days=20, stock=4_000, claimed=Share(90, 10), persons_per_attempt=0.4)
    plan = replace(plan, participation=observed_trend({0: 9000, 1: 7400, 2: 6100}, first_day=3))

    def seconds(runs: int, seed: int) -> float:
        begin = time.perf_counter()
        played(plan, runs=runs, seed=seed)
        return time.perf_counter() - begin

    few, many = (min(seconds(runs, seed) for seed in range(2)) for runs in (1_000, 10_000))
    assert many < 40 * few


def on(*counts: int, start: date = DAY) -> dict[date, int]:
    return {start + timedelta(days=number): count for number, count in enumerate(counts) if count}


def facts(
    attempts: dict[date, int],
    *,
    phase: PhaseDays = FIRST,
    today: date = DAY,
    **changes: Any,  # noqa: ANN401 - any field of the facts
) -> Facts:
    plain = Facts(
        timezone="Asia/Shanghai",
        today=today,
        phases=[FIRST, SECOND],
        phase=phase,
        days={at: Day(attempts=count) for at, count in attempts.items()},
        types=[TypeFacts("checkup", 30_000, 100, 0)],
        ways=["quiz", "event"],
        chances_per_pass=1,
        left_to_award={1: 100, 2: 100},
        waiting=0,
        waiting_everywhere=0,
        persons=10,
        award_valid_days=3,
        draws_per_day=5,
        draws_per_phase=None,
        vouchers_per_phase=2,
    )
    return replace(plain, **changes)


@pytest.mark.parametrize(
    ("today", "attempts", "begins"),
    [
        (DAY - timedelta(days=3), {}, DAY),
        (DAY - timedelta(days=3), on(5, start=DAY - timedelta(days=3)), DAY),  # of an earlier phase
        (DAY, {}, DAY),
        (DAY, on(5), DAY + timedelta(days=1)),
        (DAY + timedelta(days=4), on(0, 0, 0, 0, 5), DAY + timedelta(days=5)),
    ],
)
def test_a_plan_begins_with_the_first_day_that_is_its_own(
    today: date, attempts: dict[date, int], begins: date
) -> None:
    assert facts(attempts, today=today).begins == begins


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
    later = facts(attempts, phase=SECOND, today=DAY + timedelta(days=4))
    observed = observed_trend_of(later, attempts)
    assert observed is not None
    assert (observed.phase, observed.days, observed.trend.first_day) == (FIRST, 4, 0)
    going_on = observed_trend_of(replace(later, phase=FIRST), attempts)
    assert going_on is not None
    assert going_on.trend.first_day == 4


def test_without_any_attempt_nothing_is_observed() -> None:
    later = on(5, start=SECOND.first_day)
    nothing = facts(later)
    assert observed_trend_of(nothing, later) is None
    assert scenario_of(nothing, Assumed(days=3), observed=None, pass_rate=SURE) is None


def test_a_campaign_without_a_quiz_is_planned_from_its_other_ways() -> None:
    days = {DAY: Day(chances=Counter(event=50)), DAY + timedelta(days=1): Day(chances=Counter(event=40))}
    known = facts({}, today=DAY + timedelta(days=2), days=days, left_to_award={1: 10_000, 2: 0})
    plan = scenario_of(known, Assumed(days=3), observed=None, pass_rate=SURE)
    assert plan is not None
    outcome = played(plan, 1_000_000)
    assert outcome.attempts.p95 == 0
    assert outcome.chances_by_way["event"].median == pytest.approx(90, rel=0.3)
    assert outcome.draws == outcome.chances
    entered = scenario_of(known, Assumed(days=3, daily_chances={"event": 7}), observed=None, pass_rate=SURE)
    assert entered is not None
    assert played(entered).chances.median == pytest.approx(21, abs=4)


def test_release_plan_of_the_phase_tells_what_each_day_puts_out() -> None:
    """Ten at the opening (eleven o'clock) and every hour; the phase ends in the third day's afternoon."""
    opens = datetime(2020, 11, 1, 11, tzinfo=CHINA)
    release = Release(opens, opens + timedelta(days=2, hours=3), 3_600, 10)
    types = [TypeFacts("checkup", 30_000, stock=995, issued=5, release=release)]
    known = facts({}, types=types, ways=["event"])
    plan = scenario_of(known, Assumed(days=3, daily_chances={"event": 7}), observed=None, pass_rate=SURE)
    assert plan is not None
    # Thirteen releases on the first day, twenty-four on the next; five pieces are issued already.
    assert plan.types[0].claimable == (125, 365, 995)
    assumed = Assumed(days=2, daily_chances={"event": 7}, release_per_day={"checkup": 8})
    entered = scenario_of(known, assumed, observed=None, pass_rate=SURE)
    assert entered is not None
    assert entered.types[0].claimable == (8, 16)
