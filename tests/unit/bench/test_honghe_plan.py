from collections import Counter
from datetime import datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.scenarios.honghe_plan import apportion, binomial_band, make_plan, shifted, wishes
from deploy.demo_data.files import load_yaml

PUBLISHED = load_yaml("honghe-2020/published.yaml")
CAMPAIGN = load_yaml("honghe-2020/campaign.yaml")


@pytest.mark.parametrize("scale", [0.01, 0.25, 1.0])
def test_plan_has_the_published_attempts_and_chances_at_every_scale(scale: float) -> None:
    plan = make_plan(PUBLISHED, scale=scale, seed=1)

    assert plan.attempts == round(27_417 * scale)
    passes = sum(attempt.passes for day in plan.days for visit in day for attempt in visit)
    assert passes == plan.chances == round(3_085 * scale)


def test_plan_follows_the_assumed_daily_shape() -> None:
    plan = make_plan(PUBLISHED, scale=1.0, seed=1)

    assert [sum(map(len, day)) for day in plan.days] == [9_000, 7_400, 6_100, 4_917]


def test_nobody_attempts_more_often_than_the_rule_allows_or_passes_twice() -> None:
    plan = make_plan(PUBLISHED, scale=1.0, seed=1)

    for day in plan.days:
        persons = Counter(attempt.person for visit in day for attempt in visit)
        assert max(persons.values()) <= 3
        assert all(len({attempt.person for attempt in visit}) == 1 for visit in day)
    passes = Counter(a.person for day in plan.days for visit in day for a in visit if a.passes)
    assert max(passes.values()) == 1


def test_the_same_seed_gives_the_same_plan() -> None:
    assert make_plan(PUBLISHED, scale=0.05, seed=7) == make_plan(PUBLISHED, scale=0.05, seed=7)


@given(st.integers(0, 10**6), st.lists(st.integers(1, 10**6), min_size=1, max_size=8))
def test_apportioned_parts_add_up(total: int, weights: list[int]) -> None:
    assert sum(apportion(total, weights)) == total


def test_published_670_lies_outside_the_95_percent_band_of_the_announced_odds() -> None:
    low, high = binomial_band(3_085, 0.2, sigmas=1.96)

    assert low <= 617 <= high
    assert high < 670


def test_a_winner_wishes_every_type_once_and_first_by_the_published_shares() -> None:
    types = [voucher_type["key"] for voucher_type in CAMPAIGN["voucher_types"]]
    rng = Random(3)
    firsts: Counter[str] = Counter()
    for _ in range(6_650):
        wished = wishes(rng, PUBLISHED["issued_by_type"], types)
        assert sorted(wished) == sorted(types)
        firsts[wished[0]] += 1

    assert 1_950 < firsts["checkup"] < 2_230
    assert firsts["health_training"] == 0


def test_phases_that_lie_behind_are_moved_ahead_by_whole_days() -> None:
    now = datetime.fromisoformat("2020-11-20T12:00:00+08:00")

    moved = shifted(CAMPAIGN, now, "honghe-2020-2")

    opens = datetime.fromisoformat(moved["phases"][0]["opens_at"])
    assert opens.isoformat() == "2020-11-21T11:00:00+08:00"
    assert moved["phases"][1]["opens_at"] == "2020-12-01T11:00:00+08:00"
    assert CAMPAIGN["phases"][0]["opens_at"] == "2020-11-01T11:00:00+08:00"
