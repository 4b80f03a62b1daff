"""Estimates are as sure as their data are many."""

import numpy as np
import pytest

from shared.estimates import (
    UNKNOWN_SHARE,
    Share,
    Trend,
    dispersion,
    entered_trend,
    observed_share,
    observed_trend,
    share_with_deviation,
)

RUNS = 20_000


def quantiles(values: np.ndarray) -> list[float]:
    return [float(value) for value in np.quantile(values, [0.05, 0.5, 0.95])]


def share_band(share: Share) -> list[float]:
    return quantiles(share.draw(np.random.default_rng(1), RUNS))


def level_band(trend: Trend, day: int) -> list[float]:
    rng = np.random.default_rng(1)
    return quantiles(trend.counts(day, *trend.draw(rng, RUNS), rng))


def test_an_observed_share_narrows_with_its_tries() -> None:
    few, many = share_band(observed_share(1, 9)), share_band(observed_share(3085, 27417))
    assert many[0] < 3085 / 27417 < many[2]
    assert many[2] - many[0] < 0.007 < few[2] - few[0]
    assert share_band(observed_share(0, 0)) == share_band(UNKNOWN_SHARE)
    assert Share(1, 1) == UNKNOWN_SHARE


def test_a_share_beyond_its_tries_is_all_of_them() -> None:
    assert observed_share(120, 100) == observed_share(100, 100)


def test_dispersion_widens_a_share() -> None:
    plain = share_band(observed_share(300, 1_000))
    wide = share_band(observed_share(300, 1_000, dispersion=4))
    assert wide[2] - wide[0] == pytest.approx(2 * (plain[2] - plain[0]), rel=0.05)


def test_a_share_takes_the_deviation_that_it_is_given() -> None:
    drawn = share_with_deviation(0.4, 0.05, 1_000_000).draw(np.random.default_rng(1), RUNS)
    assert drawn.mean() == pytest.approx(0.4, abs=0.002)
    assert drawn.std() == pytest.approx(0.05, rel=0.03)


def test_a_share_is_never_surer_than_its_tries() -> None:
    drawn = share_with_deviation(0.4, 0.0, 100).draw(np.random.default_rng(1), RUNS)
    assert drawn.std() == pytest.approx((0.4 * 0.6 / 100) ** 0.5, rel=0.05)
    assert share_band(share_with_deviation(0.0, 0.0, 50))[2] > 0.01


@pytest.mark.parametrize(
    ("successes", "tries", "expected"),
    [
        ([10, 10, 10], [100, 100, 100], 1.0),  # less than chance is no more than chance
        ([10], [100], 1.0),
        ([0, 0], [100, 100], 1.0),
        ([], [], 1.0),
        ([0, 40], [100, 100], 50.0),
        ([0, 40, 0], [100, 100, 0], 50.0),
    ],
)
def test_dispersion_is_what_days_differ_by_beyond_chance(
    successes: list[int], tries: list[int], expected: float
) -> None:
    assert dispersion(successes, tries) == pytest.approx(expected)


def test_a_clear_trend_is_carried_on() -> None:
    counts = {day: round(9_000 * np.exp(-0.2 * day)) for day in range(12)}
    low, middle, high = level_band(observed_trend(counts, first_day=12), 0)
    assert middle == pytest.approx(9_000 * np.exp(-2.4), rel=0.05)
    assert high / low < 1.6


def test_one_day_says_the_level_and_leaves_the_trend_open() -> None:
    trend = observed_trend({0: 9_000}, first_day=1)
    near, far = level_band(trend, 0), level_band(trend, 10)
    assert near[1] == pytest.approx(9_000, rel=0.1)
    assert far[0] < 3_000
    assert far[2] > 20_000


def test_growth_is_not_carried_on_for_ever() -> None:
    trend = observed_trend({0: 100, 1: 200, 2: 400, 3: 800}, first_day=4)
    assert level_band(trend, 60)[2] < 800 * 5 * 2


def test_days_with_few_counts_say_less() -> None:
    small, large = (level_band(observed_trend({0: n, 1: n, 2: n}, first_day=3), 0) for n in (4, 4_000))
    assert small[2] / max(small[0], 1) > 2 * large[2] / large[0]


def test_one_day_without_anybody_does_not_outweigh_full_ones() -> None:
    assert level_band(observed_trend({0: 1_000, 1: 1_000, 2: 1_000, 3: 0}, first_day=4), 0)[1] > 600


def test_days_without_anybody_are_understood() -> None:
    assert level_band(observed_trend({0: 500, 1: 20, 2: 0, 3: 0}, first_day=4), 0)[1] < 50


def test_entered_levels_stand_and_the_last_one_stays() -> None:
    trend = entered_trend([9_000, 7_400, 0])
    assert [level_band(trend, day)[1] for day in range(2)] == pytest.approx([9_000, 7_400], rel=0.02)
    assert level_band(trend, 2) == level_band(trend, 9) == [0, 0, 0]
    low, _, high = level_band(trend, 0)
    assert 1.3 < high / low < 2.5
