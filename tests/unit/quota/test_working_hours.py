"""When an alarm may miss card events: hospitals are at work, and the programme runs."""

from datetime import date, datetime

import pytest

from services.quota.monitoring.rules import hospitals_work
from shared.clock import CHINA

FIRST, LAST = date(2020, 8, 1), date(2020, 12, 31)


@pytest.mark.parametrize(
    ("hour", "minute", "expected"), [(7, 59, False), (8, 0, True), (16, 59, True), (17, 0, False)]
)
def test_the_hours_of_a_day(hour: int, minute: int, *, expected: bool) -> None:
    assert hospitals_work(datetime(2020, 8, 3, hour, minute, tzinfo=CHINA), FIRST, LAST) is expected


@pytest.mark.parametrize(
    ("day", "starts_on", "ends_on", "expected"),
    [
        (FIRST, FIRST, LAST, True),
        (LAST, FIRST, LAST, True),
        (date(2020, 7, 31), FIRST, LAST, False),
        (date(2021, 1, 1), FIRST, LAST, False),
        (date(2021, 1, 1), FIRST, None, True),
        (FIRST, None, LAST, False),
    ],
)
def test_the_days_of_a_programme(
    day: date, starts_on: date | None, ends_on: date | None, *, expected: bool
) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=CHINA)
    assert hospitals_work(noon, starts_on, ends_on) is expected
