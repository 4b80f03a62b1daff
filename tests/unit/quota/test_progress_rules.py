from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quota.progress.rules import forecast_date, needed_per_day, pace_days, rate
from shared.rankings import month_of

TODAY = date(2020, 8, 15)


def test_a_rate_has_six_decimals_rounded_half_up() -> None:
    assert rate(1, 3) == Decimal("0.333333")
    assert rate(2, 3) == Decimal("0.666667")
    assert rate(0, 3) == 0


@pytest.mark.parametrize("quota", [None, 0])
def test_without_a_quota_there_is_no_rate(quota: int | None) -> None:
    assert rate(5, quota) is None


@pytest.mark.parametrize(
    ("day", "month"),
    [
        (date(2020, 2, 29), (date(2020, 2, 1), date(2020, 2, 29))),
        (date(2020, 12, 31), (date(2020, 12, 1), date(2020, 12, 31))),
        (date(2021, 1, 1), (date(2021, 1, 1), date(2021, 1, 31))),
    ],
)
def test_a_month_ends_on_its_last_day(day: date, month: tuple[date, date]) -> None:
    assert month_of(day) == month


def test_what_is_needed_a_day_counts_today_and_the_last_day() -> None:
    assert needed_per_day(100, 0, today=TODAY, ends_on=TODAY) == 100
    assert needed_per_day(100, 1, today=TODAY, ends_on=TODAY + timedelta(days=9)) == 10
    assert needed_per_day(100, 100, today=TODAY, ends_on=TODAY) == 0


@pytest.mark.parametrize(("quota", "ends_on"), [(100, None), (None, TODAY), (100, TODAY - timedelta(days=1))])
def test_without_an_end_or_after_it_nothing_is_needed_a_day(quota: int | None, ends_on: date | None) -> None:
    assert needed_per_day(quota, 0, today=TODAY, ends_on=ends_on) is None


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(1, 400))
def test_the_needed_cards_a_day_are_enough_and_one_less_is_not(quota: int, issued: int, days: int) -> None:
    needed = needed_per_day(quota, issued, today=TODAY, ends_on=TODAY + timedelta(days=days - 1))
    assert needed is not None
    assert issued + needed * days >= quota
    assert needed == 0 or issued + (needed - 1) * days < quota


def test_the_forecast_goes_on_at_the_recent_pace() -> None:
    assert forecast_date(100, 70, pace_issued=30, pace_days=30, today=TODAY) == TODAY + timedelta(days=30)
    assert forecast_date(100, 99, pace_issued=30, pace_days=30, today=TODAY) == TODAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("quota", "issued", "pace", "days"),
    [(None, 0, 1, 1), (10, 10, 1, 1), (10, 0, 0, 30), (10, 0, -1, 30), (10, 0, 5, 0), (10**9, 0, 1, 30)],
)
def test_there_is_no_forecast_for_what_is_reached_or_never_would_be(
    quota: int | None, issued: int, pace: int, days: int
) -> None:
    assert forecast_date(quota, issued, pace_issued=pace, pace_days=days, today=TODAY) is None


def test_a_young_programme_takes_its_pace_from_fewer_days() -> None:
    assert pace_days(None, TODAY) == 0
    assert pace_days(TODAY, TODAY) == 1
    assert pace_days(TODAY - timedelta(days=400), TODAY) == 30
