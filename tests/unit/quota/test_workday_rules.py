"""Working days: what the notices say, and what a file may say."""

from datetime import date

import pytest

from services.quota.workdays.rules import (
    DAY_COLUMNS,
    PUBLISHED,
    Calendar,
    DayList,
    days_between,
    read_days,
    working_days_of,
)
from shared.documents.sheets import find_table, read_rows

CALENDAR = Calendar(PUBLISHED)


def read(text: str, year: int = 2027) -> DayList:
    return read_days(find_table(read_rows(text.encode()), DAY_COLUMNS), year)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2020-02-02", False),  # the extended Spring Festival
        ("2020-02-03", True),
        ("2020-06-28", True),  # a Sunday that was worked
        ("2020-10-01", False),
        ("2020-10-08", False),
        ("2020-10-10", True),
        ("2020-10-11", False),
        ("2022-12-31", False),
        ("2025-10-08", False),
        ("2026-02-14", True),
        ("2026-02-23", False),
    ],
)
def test_the_shipped_calendars_say_what_the_notices_say(day: str, works: bool) -> None:  # noqa: FBT001
    assert CALENDAR.works(date.fromisoformat(day)) is works


def test_the_shipped_years_have_as_many_working_days_as_everybody_counts() -> None:
    counted = {year: working_days_of(year, entry.days) for year, entry in PUBLISHED.items()}
    assert counted == {2020: 249, 2021: 250, 2022: 249, 2023: 249, 2024: 251, 2025: 248, 2026: 248}


@pytest.mark.parametrize("year", sorted(PUBLISHED))
def test_every_make_up_day_is_a_weekend_and_every_source_has_its_number(year: int) -> None:
    assert all(entry.day.weekday() >= 5 for entry in PUBLISHED[year].days if entry.works)
    assert all(entry.day.year == year for entry in PUBLISHED[year].days)
    assert f"国办发明电〔{year - 1}〕" in PUBLISHED[year].source


def test_a_year_without_a_calendar_goes_by_weekdays_and_is_named() -> None:
    assert CALENDAR.works(date(2031, 10, 1))
    assert not CALENDAR.works(date(2031, 10, 4))
    assert CALENDAR.unknown(date(2019, 12, 1), date(2027, 1, 1)) == [2019, 2027]
    assert CALENDAR.unknown(date(2020, 12, 1), date(2021, 1, 1)) == []


def test_counting_takes_both_ends() -> None:
    assert CALENDAR.count(date(2020, 9, 28), date(2020, 10, 10)) == 5
    assert CALENDAR.count(date(2020, 10, 10), date(2020, 10, 9)) == 0
    assert len(list(days_between(date(2020, 1, 1), date(2020, 12, 31)))) == 366


def test_a_file_is_read_in_any_spelling() -> None:
    listed = read(
        "日期,类型,名称\n2027-10-01,放假,国庆节\n2027/10/9,上班,\n2027年10月2日,休,\n2027-10-01,off,\n"
    )
    assert [(entry.day.isoformat(), entry.works) for entry in listed.days] == [
        ("2027-10-01", False), ("2027-10-02", False), ("2027-10-09", True),
    ]  # fmt: skip
    assert (listed.rows, listed.rejected, listed.faults) == (4, 0, ())


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("十月一日,放假,", "day"),
        ("2027-02-30,放假,", "day"),
        ("2028-10-01,放假,", "day"),
        ("2027-10-01,也许,", "works"),
        ("2027-10-08,上班,", "works"),  # a Friday: worked anyway
        (f"2027-10-01,放假,{'长' * 41}", "label"),
        ("2027-05-01,上班,", "works"),  # another line says that it is off
    ],
)
def test_what_cannot_be_is_named_with_its_row_and_column(line: str, column: str) -> None:
    listed = read(f"date,kind,name\n2027-05-01,放假,\n{line}\n")
    assert [(fault.row, fault.column) for fault in listed.faults] == [(3, column)]
    assert (listed.rejected, len(listed.days)) == (1, 1)
