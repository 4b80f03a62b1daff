"""Opening hours: what clerks write is read, kept in one spelling, and asked by the minute."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.openinghours import WEEKDAYS, NotHours, canonical_hours, hours_text, is_open, read_hours

MONDAY = datetime(2020, 11, 2)  # noqa: DTZ001 - local time of the place


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "周一至周三 8:00-12:00,14:00-17:30",
            {day: ["08:00-12:00", "14:00-17:30"] for day in ("mon", "tue", "wed")},
        ),
        ("周六、周日 09：00～12：00", {day: ["09:00-12:00"] for day in ("sat", "sun")}),
        ("8:30-18:00", {day: ["08:30-18:00"] for day in WEEKDAYS}),
        ("每天 0:00-24:00", {day: ["00:00-24:00"] for day in WEEKDAYS}),
        (
            "mon-tue 08:00-18:00; sat 9:00-12:00",
            {"mon": ["08:00-18:00"], "tue": ["08:00-18:00"], "sat": ["09:00-12:00"]},
        ),
        ("星期天 10:00-11:00", {"sun": ["10:00-11:00"]}),
    ],
)
def test_is_read_as_clerks_write_it(text: str, expected: dict[str, list[str]]) -> None:
    assert read_hours(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "全天",
        "周一",
        "周八 8:00-9:00",
        "周五至周一 8:00-9:00",
        "25:00-26:00",
        "8:70-9:00",
        "18:00-8:00",
        "8:00-10:00,9:00-11:00",
        "8:00-9:00 午休",
    ],
)
def test_what_says_no_hours_is_refused(text: str) -> None:
    with pytest.raises(NotHours):
        read_hours(text)


@pytest.mark.parametrize(
    "hours", [{}, {"mon": []}, {"someday": ["08:00-09:00"]}, {"mon": ["8-9"]}, {"mon": ["01:00-02:00"] * 9}]
)
def test_document_that_says_no_hours_is_refused(hours: dict[str, list[str]]) -> None:
    with pytest.raises(NotHours):
        canonical_hours(hours)


def test_end_of_a_span_is_closed() -> None:
    hours = {"mon": ["08:00-12:00"]}
    asked = [MONDAY + timedelta(minutes=minute) for minute in (479, 480, 719, 720)]
    assert [is_open(hours, moment) for moment in asked] == [False, True, True, False]
    assert not is_open(hours, MONDAY + timedelta(days=1, hours=9))


_SPAN = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda pair: pair[0] < pair[1])


@given(st.dictionaries(st.sampled_from(WEEKDAYS), _SPAN, min_size=1), st.integers(0, 7 * 1440 - 1))
def test_text_says_the_same_as_the_document(spans: dict[str, tuple[int, int]], minute: int) -> None:
    told = {
        day: [f"{begin // 60}:{begin % 60:02d}-{end // 60}:{end % 60:02d}"]
        for day, (begin, end) in spans.items()
    }
    hours = canonical_hours(told)
    assert read_hours(hours_text(hours)) == hours
    moment = MONDAY + timedelta(minutes=minute)
    span = spans.get(WEEKDAYS[moment.weekday()])
    assert is_open(hours, moment) == (span is not None and span[0] <= minute % 1440 < span[1])
