"""Exact binomial tails against fractions, drifts of the announced odds, and the funnel's shares."""

import math
from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.issuance.monitoring.rules import FALSE_ALARMS, DrawnCell, drifts, funnel, holm_level
from shared.binomial import two_sided_p

FIRST, SECOND = date(2020, 11, 1), date(2020, 11, 2)


def exact_p(won: int, tries_at: dict[int, int]) -> Fraction:
    """By definition, in whole numbers."""
    pmf = [Fraction(1)]
    for odds_ppm, tries in tries_at.items():
        odds = Fraction(odds_ppm, 1_000_000)
        one = [math.comb(tries, k) * odds**k * (1 - odds) ** (tries - k) for k in range(tries + 1)]
        longer = [Fraction(0)] * (len(pmf) + tries)
        for at, weight in enumerate(pmf):
            for k, probability in enumerate(one):
                longer[at + k] += weight * probability
        pmf = longer
    return sum((p for p in pmf if p <= pmf[won]), start=Fraction(0))


odds = st.sampled_from([1_000, 50_000, 200_000, 400_000, 500_000, 990_000, 1_000_000])


@given(tries_at=st.dictionaries(odds, st.integers(0, 15), min_size=1, max_size=3), data=st.data())
@settings(max_examples=150, deadline=None)
def test_p_is_the_exact_sum(tries_at: dict[int, int], data: st.DataObject) -> None:
    won = data.draw(st.integers(0, sum(tries_at.values())))
    assert two_sided_p(won, tries_at) == pytest.approx(float(exact_p(won, tries_at)), rel=1e-9, abs=1e-30)


@pytest.mark.parametrize(
    ("won", "tries_at", "p"),
    [
        (0, {}, 1.0),
        (617, {200_000: 3085}, 1.0),
        (670, {200_000: 3085}, 0.018105),  # the published vouchers of the published chances
        (5, {1_000_000: 5}, 1.0),
        (4, {1_000_000: 5}, 0.0),
        (0, {1_000: 1_000_000}, 0.0),
        (1_000_000, {200_000: 5_000_000}, 1.0),
    ],
)
def test_p_of_known_cases(won: int, tries_at: dict[int, int], p: float) -> None:
    assert two_sided_p(won, tries_at) == pytest.approx(p, rel=1e-3)


def test_two_versions_at_the_same_odds_are_one() -> None:
    """Also where one of them holds nearly all: 0.2 and a hair more."""
    assert two_sided_p(1_002_500, {200_000: 4_990_000, 200_001: 10_000}) == pytest.approx(
        two_sided_p(1_002_500, {200_000: 5_000_000}), rel=1e-3
    )


def test_large_numbers_are_exact() -> None:
    deviation = math.sqrt(5_000_000 * 0.2 * 0.8)
    found = two_sided_p(round(1_000_000 + 3 * deviation), {200_000: 5_000_000})
    assert found == pytest.approx(math.erfc(3 / math.sqrt(2)), rel=0.01)
    mixed = two_sided_p(3_000_500, {200_000: 5_000_000, 400_000: 5_000_000})
    assert mixed == pytest.approx(math.erfc(500 / math.sqrt(2 * 2_000_000)), rel=0.01)


def test_honest_draws_are_uniformly_surprising() -> None:
    """A p below 0.1 comes in one of ten honest campaigns."""
    rng = np.random.default_rng(1)
    ps = [two_sided_p(int(rng.binomial(3_000, 0.2)), {200_000: 3_000}) for _ in range(200)]
    assert 8 <= sum(p < 0.1 for p in ps) <= 35
    assert min(ps) > FALSE_ALARMS / 5


def test_drifts_are_told_apart_by_day_and_way() -> None:
    cells = [
        DrawnCell(FIRST, "quiz", {200_000: 1_000}, 201),
        DrawnCell(FIRST, "event", {200_000: 500}, 160),
        DrawnCell(SECOND, "quiz", {200_000: 300, 400_000: 300}, 181),
    ]
    found = drifts(cells)
    assert found.alarming
    assert found.alarms(found.by_day_and_channel[FIRST, "event"])
    assert found.alarms(found.by_channel["event"])
    assert not found.alarms(found.by_channel["quiz"])
    assert not found.alarms(found.by_day[SECOND])
    changed = found.by_day[SECOND]
    assert (changed.draws, changed.wins, changed.expected_wins) == (600, 181, 180)
    assert changed.announced == pytest.approx(0.3)
    assert changed.observed == pytest.approx(181 / 600)
    assert found.total.draws == 2_100
    assert list(found.by_day) == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("ps", "level"),
    [
        ([], 0.001),
        ([0.9], 0.001),
        ([0.9] * 10, 0.0001),
        ([0.00009, *[0.9] * 9], 0.0001),
        # The first one counts, so the second is held against nine comparisons only.
        ([0.00005, 0.00011, *[0.9] * 8], 0.00011),
        ([0.00011, 0.00012, *[0.9] * 8], 0.0001),
        ([0.0] * 4, 0.00025),
    ],
)
def test_the_level_of_an_alarm_falls_with_the_number_of_comparisons(ps: list[float], level: float) -> None:
    assert holm_level(ps) == pytest.approx(level)


def campaign(rng: np.random.Generator, odds: dict[str, float]) -> list[DrawnCell]:
    """Twenty days of five ways, announced at 0.2 and drawn at these odds."""
    return [
        DrawnCell(date(2020, 11, day), way, {200_000: 150}, int(rng.binomial(150, odds.get(way, 0.2))))
        for day in range(1, 21)
        for way in ("quiz", "share", "lead", "event", "fitness")
    ]


def test_honest_campaigns_raise_no_alarm_though_they_are_compared_a_hundred_times_over() -> None:
    rng = np.random.default_rng(1)
    found = [drifts(campaign(rng, {})) for _ in range(300)]
    assert sum(each.alarming for each in found) <= 1
    # Without regard to how much is compared, most of them would: one in a thousand, 126 times.
    naive = [min(drift.p for drift in each.by_day_and_channel.values()) <= FALSE_ALARMS for each in found]
    assert sum(naive) >= 10


def test_a_way_that_is_cheated_is_found_and_named() -> None:
    rng = np.random.default_rng(1)
    found = [drifts(campaign(rng, {"event": 0.16})) for _ in range(20)]
    assert sum(each.alarms(each.by_channel["event"]) for each in found) >= 18
    assert not any(each.alarms(each.by_channel["quiz"]) for each in found)


def test_without_draws_there_is_nothing_to_compare() -> None:
    found = drifts([])
    assert not found.alarming
    assert found.total.p == 1
    assert found.total.announced is None
    assert found.total.observed is None


def test_a_funnel_tells_what_each_step_kept() -> None:
    steps = funnel([("started", 200), ("answered", 150), ("passed", 0), ("chances", 0), ("draws", 3)])
    assert [step.kept for step in steps] == [None, 0.75, 0.0, None, None]
    assert [step.lost for step in steps] == [None, 50, 150, 0, 0]
