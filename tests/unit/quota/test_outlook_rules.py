"""The outlook: bands that hold as often as they say, and nothing said where nothing is known."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quota.outlook.rules import (
    HISTORY_DAYS,
    Ahead,
    Days,
    History,
    Outlook,
    outlook,
    share_passed,
    warned,
    widened,
    working_share_passed,
)
from services.quota.workdays.rules import PUBLISHED, Calendar

CALENDAR = Calendar(PUBLISHED)
TODAY = date(2020, 9, 15)


def ahead(ends_on: date | None = None) -> Ahead:
    return Ahead(CALENDAR, TODAY, ends_on)


def cards(rng: np.random.Generator, mean: float, dispersion: float) -> int:
    """A day's cards: Poisson, or as much wider as the dispersion says."""
    if mean == 0 or dispersion <= 1:
        return int(rng.poisson(mean))
    return int(rng.poisson(rng.gamma(mean / (dispersion - 1), dispersion - 1)))


class World:
    """A hospital whose days are drawn: so many cards on working days, so many on others."""

    def __init__(self, seed: int, *, working: float, off: float, dispersion: float) -> None:
        self._rng = np.random.default_rng(seed)
        self._means, self._dispersion = {True: working, False: off}, dispersion

    def days(self, first: date) -> Iterator[tuple[date, int]]:
        day = first
        while True:
            yield day, cards(self._rng, self._means[CALENDAR.works(day)], self._dispersion)
            day += timedelta(days=1)

    def history(self) -> History:
        kinds = {True: Days(), False: Days()}
        for day, n in self.days(TODAY - timedelta(days=HISTORY_DAYS)):
            if day == TODAY:
                break
            kinds[CALENDAR.works(day)] += Days(1, n, n * n)
        return History(kinds[True], kinds[False])

    def reached(self, quota: int) -> date:
        total = 0
        for day, n in self.days(TODAY):
            total += n
            if total >= quota:
                return day
        raise AssertionError


@pytest.mark.parametrize(
    ("working", "off", "dispersion", "quota"),
    [
        (20, 5, 1, 600),
        (20, 5, 4, 600),
        (200, 60, 20, 20_000),
        (3, 1, 2, 60),
        (20, 0, 3, 1000),
        (20, 20, 4, 3000),
    ],
    ids=["even", "uneven", "large, over a year", "small", "closed on weekends", "open every day"],
)
def test_a_band_of_eighty_per_cent_holds_seventy_to_ninety_of_a_hundred_futures(
    working: float, off: float, dispersion: float, quota: int
) -> None:
    held, runs = 0, 200
    for seed in range(runs):
        world = World(seed, working=working, off=off, dispersion=dispersion)
        seen, reached = outlook(quota, 0, world.history(), ahead()), world.reached(quota)
        assert seen.early is not None
        held += seen.early <= reached and (seen.late is None or reached <= seen.late)
    assert 0.70 <= held / runs <= 0.90


def test_the_probability_of_missing_is_how_often_it_is_missed() -> None:
    """Over hospitals of every pace and quotas near what they come to, in four groups of what was told."""
    end, rng = TODAY + timedelta(days=75), np.random.default_rng(20)
    told: dict[int, list[tuple[float, bool]]] = {}
    for seed in range(500):
        pace = float(rng.uniform(8, 40))
        quota = int(pace * rng.uniform(0.6, 1.2) * 60)
        world = World(seed, working=pace, off=pace / 4, dispersion=4)
        chance = outlook(quota, 0, world.history(), ahead(end)).miss_probability
        assert chance is not None
        told.setdefault(min(3, int(chance * 4)), []).append((float(chance), world.reached(quota) > end))
    assert sorted(told) == [0, 1, 2, 3]
    for group in told.values():
        mean, missed = np.mean(group, axis=0)
        assert abs(mean - missed) < 0.12


def test_equal_histories_have_equal_outlooks() -> None:
    one, other = (
        outlook(600, 0, World(4, working=20, off=5, dispersion=4).history(), ahead(date(2020, 12, 31)))
        for _ in range(2)
    )
    assert one == other


STEADY = History(Days(22, 220, 2420), Days(8, 16, 40))


def test_a_steady_hospital_is_told_its_dates_and_what_it_needs() -> None:
    seen = outlook(500, 100, STEADY, ahead(date(2020, 10, 31)))
    assert seen.pace_per_working_day == Decimal("10.0")
    # 9 + 7 + 7 working days: the National Day holiday is off, 27 September and 10 October are worked.
    working = CALENDAR.count(TODAY, date(2020, 10, 31))
    assert seen.needed_per_working_day == -(-400 // working)
    assert seen.expected == 100 + round(10 * working + 2 * (47 - working))
    assert seen.early is not None
    assert seen.late is not None
    assert seen.early <= seen.late
    assert seen.miss_probability is not None
    assert seen.miss_probability > Decimal("0.5")


def test_what_was_counted_today_is_not_forgotten() -> None:
    today = History(STEADY.working, STEADY.off, today=7)
    end = date(2020, 10, 31)
    assert outlook(500, 107, today, ahead(end)).expected == outlook(500, 100, STEADY, ahead(end)).expected
    done = outlook(500, 499, History(STEADY.working, STEADY.off, today=0), ahead(TODAY))
    assert done.miss_probability is not None
    assert done.miss_probability < Decimal("0.05")


@pytest.mark.parametrize(
    ("quota", "issued", "history", "ends_on", "told"),
    [
        (None, 5, STEADY, date(2020, 12, 31), Outlook()),
        (10, 10, STEADY, None, Outlook(None, Decimal("10.0"))),
        (10, 10, STEADY, date(2020, 9, 16), Outlook(0, Decimal("10.0"), miss_probability=Decimal(0))),
        (10, 0, History(), None, Outlook()),
        (10, 0, History(Days(4, 8, 20), Days(2, 1, 1)), None, Outlook(None, Decimal("2.0"))),
        (10, 4, STEADY, date(2020, 9, 14), None),
    ],
    ids=["no quota", "reached", "reached, with an end", "no card yet", "six days only", "after the end"],
)
def test_where_nothing_can_be_said_nothing_is(
    quota: int | None, issued: int, history: History, ends_on: date | None, told: Outlook | None
) -> None:
    seen = outlook(quota, issued, history, ahead(ends_on))
    if told is None:
        assert (seen.needed_per_working_day, seen.expected, seen.miss_probability) == (None, None, None)
    else:
        assert seen == told


def test_without_a_card_in_thirty_days_the_quota_is_missed_and_has_no_date() -> None:
    seen = outlook(500, 0, History(Days(22), Days(8)), ahead(date(2020, 12, 31)))
    assert (seen.early, seen.late, seen.expected, seen.miss_probability) == (None, None, 0, Decimal(1))


def test_an_end_on_a_holiday_leaves_no_working_day_to_divide_by() -> None:
    assert Ahead(CALENDAR, date(2020, 10, 4), date(2020, 10, 8)).working_left == 0
    seen = outlook(500, 0, STEADY, Ahead(CALENDAR, date(2020, 10, 4), date(2020, 10, 8)))
    assert seen.needed_per_working_day is None


@given(st.integers(1, 2000), st.integers(0, 2000), st.integers(0, 200))
def test_the_needed_cards_on_working_days_are_enough_and_one_less_is_not(
    quota: int, issued: int, days: int
) -> None:
    end = TODAY + timedelta(days=days)
    needed = outlook(quota, issued, STEADY, ahead(end)).needed_per_working_day
    assert needed is not None
    working = CALENDAR.count(TODAY, end)
    assert issued + needed * working >= quota
    assert needed == 0 or issued + (needed - 1) * working < quota


def test_the_band_holds_the_forecast_by_calendar_days() -> None:
    one, two, three = (date(2020, 10, day) for day in (1, 2, 3))
    assert widened(two, three, one) == (one, three)
    assert widened(one, two, three) == (one, three)
    assert widened(two, None, one) == (one, None)
    assert widened(one, two, None) == (one, two)
    assert widened(None, None, one) == (None, None)


def test_the_time_that_passed_is_a_share_between_nothing_and_all() -> None:
    first, last = date(2020, 9, 1), date(2020, 9, 30)
    assert share_passed(first, last, first) == 0
    assert share_passed(first, last, date(2020, 9, 16)) == Decimal("0.5")
    assert share_passed(first, last, date(2021, 1, 1)) == 1
    assert share_passed(first, last, date(2020, 1, 1)) == 0
    assert share_passed(first, None, first) is None
    # September 2020 has 23 working days, the 27th among them; 11 of them were before the 16th.
    assert working_share_passed(CALENDAR, first, last, date(2020, 9, 16)) == Decimal("0.478261")
    assert working_share_passed(CALENDAR, date(2020, 10, 1), date(2020, 10, 5), first) is None


def test_the_surest_are_warned_first_and_who_lacks_most_among_equals() -> None:
    seen = {
        key: Outlook(miss_probability=None if chance is None else Decimal(chance))
        for key, chance in {"a": "0.6", "b": "1", "c": "0.49", "d": "1", "e": None, "f": "0.5"}.items()
    }
    short = {"a": 1, "b": 5, "c": 9, "d": 7, "e": 9, "f": 1}
    assert warned(seen, short) == ["d", "b", "a", "f"]
