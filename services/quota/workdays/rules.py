"""Which days are working days: the weekday, unless the year's notice says otherwise. Pure.

China's public holidays move working days to weekends (调休), so that no rule computes them: a calendar is
data of a year, from the notice of the State Council's General Office. Shipped are the years below, taken from
the notices that `source` names; any other year, or a change during a year, is imported by staff. A year
without a calendar goes by Monday to Friday, and whoever shows a figure made of it says so.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from shared.documents.reports import ImportFault
from shared.documents.sheets import Table, column, normalise

_SATURDAY = 5
LABEL_LENGTH_MAX = 40
YEARS = range(1900, 2200)


@dataclass(frozen=True, slots=True)
class Day:
    """A day that a notice names: off (`works` is false), or worked although it is a weekend."""

    day: date
    works: bool
    label: str


@dataclass(frozen=True, slots=True)
class Year:
    """A year's notice. `edition` is that of an import, None for what is shipped."""

    year: int
    source: str
    days: tuple[Day, ...]
    edition: int | None = None


class Calendar:
    """The years that are known; asked day by day."""

    def __init__(self, years: Mapping[int, Year]) -> None:
        self._named = {entry.day: entry.works for year in years.values() for entry in year.days}
        self._years = frozenset(years)

    def works(self, day: date) -> bool:
        return self._named.get(day, day.weekday() < _SATURDAY)

    def count(self, first: date, last: date) -> int:
        """Working days from `first` to `last`, both counted; none when `last` is earlier."""
        return sum(self.works(day) for day in days_between(first, last))

    def unknown(self, first: date, last: date) -> list[int]:
        """The years between these days whose working days are by weekday only."""
        return [year for year in range(first.year, last.year + 1) if year not in self._years]


def days_between(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def working_days_of(year: int, days: Sequence[Day]) -> int:
    return Calendar({year: Year(year, "", tuple(days))}).count(date(year, 1, 1), date(year, 12, 31))


DAY_COLUMNS = (
    column("day", "日期 date", "date", "day", "日期"),
    column("works", "类型 kind", "kind", "类型", "安排", "放假/上班"),
    column("label", "名称 name", "name", "label", "名称", "节日", required=False),
)
TEMPLATE_NOTES = (
    "每行一天：凡通知规定放假的日期（包括落在周末的），类型填“放假”；调休上班的周末，类型填“上班”。",
    "其余日期不必填写：周一至周五为工作日，周六、周日为休息日。",
    "日期写作 2026-10-01、2026/10/1 或 2026年10月1日，必须在所导入的年份内；名称可不填，例如 国庆节。",
    "文件中只要有一行不对，整份日历都不会导入；请先试导入，改正后再正式导入。",
)
OFF, WORKS = "放假", "上班"
_KINDS = {
    **dict.fromkeys(("放假", "休息", "休", "off", "holiday"), False),
    **dict.fromkeys(("上班", "调休上班", "班", "work", "working"), True),
}
_DATE = re.compile(r"(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?")


@dataclass(frozen=True, slots=True)
class DayList:
    """A file after reading: its days in order, what repeats itself, what is wrong and where."""

    rows: int
    days: tuple[Day, ...]
    rejected: int
    faults: tuple[ImportFault, ...]


def read_days(table: Table, year: int) -> DayList:
    """Judges each row. The same day twice is a repetition when it says the same, else a fault."""
    days: dict[date, tuple[int, Day]] = {}
    faults: list[ImportFault] = []
    rejected = 0
    for row in table.rows:
        cells = {key: row.at(place) for key, place in table.columns.items()}
        day, works = _read_date(cells["day"]), _KINDS.get(normalise(cells["works"]))
        label = " ".join(cells.get("label", "").split())
        wrong = list(_faults(row.number, year, day, label, works=works))
        if day is not None and works is not None and not wrong:
            first = days.get(day)
            if first is None:
                days[day] = (row.number, Day(day, works, label))
            elif first[1].works != works:
                wrong.append(_fault(row.number, "works", f"与第 {first[0]} 行是同一天，但类型不同"))
        rejected += bool(wrong)
        faults.extend(wrong)
    found = tuple(entry for _, (_, entry) in sorted(days.items()))
    return DayList(len(table.rows), found, rejected, tuple(faults))


def _faults(
    row: int,
    year: int,
    day: date | None,
    label: str,
    *,
    works: bool | None,
) -> Iterator[ImportFault]:
    if day is None:
        yield _fault(row, "day", "应为日期，例如 2026-10-01")
    elif day.year != year:
        yield _fault(row, "day", f"不在 {year} 年内")
    elif works and day.weekday() < _SATURDAY:
        yield _fault(row, "works", "这一天是周一至周五，本来就上班；调休上班的应为周末")
    if works is None:
        yield _fault(row, "works", f"应为“{OFF}”或“{WORKS}”")
    if len(label) > LABEL_LENGTH_MAX or not label.isprintable():
        yield _fault(row, "label", f"应为不超过 {LABEL_LENGTH_MAX} 个可显示的字")


def _read_date(text: str) -> date | None:
    found = _DATE.fullmatch(unicodedata.normalize("NFKC", text).strip().removesuffix("T00:00:00"))
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def _fault(row: int, key: str, message: str) -> ImportFault:
    return ImportFault(row=row, column=key, message=message)


def _published(year: int, source: str, off: Mapping[str, str], works: str) -> Year:
    """`off` are days or runs of days (01-24..02-02) by the holiday's name, `works` the make-up days."""
    days = [
        Day(day, works=False, label=label)
        for label, run in off.items()
        for day in days_between(_day(year, run.partition("..")[0]), _day(year, run.rpartition("..")[2]))
    ]
    days += [Day(_day(year, text), works=True, label="调休上班") for text in works.split()]
    return Year(year, source, tuple(sorted(days, key=lambda entry: entry.day)))


def _day(year: int, text: str) -> date:
    return date.fromisoformat(f"{year}-{text}")


_NOTICE = "国务院办公厅关于{year}年部分节假日安排的通知（{number}）"
PUBLISHED: Mapping[int, Year] = {
    entry.year: entry
    for entry in (
        _published(
            2020,
            _NOTICE.format(year=2020, number="国办发明电〔2019〕16号")
            + "；关于延长2020年春节假期的通知（国办发明电〔2020〕1号）",
            {
                "元旦": "01-01",
                "春节": "01-24..02-02",
                "清明节": "04-04..04-06",
                "劳动节": "05-01..05-05",
                "端午节": "06-25..06-27",
                "国庆节、中秋节": "10-01..10-08",
            },
            "01-19 04-26 05-09 06-28 09-27 10-10",
        ),
        _published(
            2021,
            _NOTICE.format(year=2021, number="国办发明电〔2020〕27号"),
            {
                "元旦": "01-01..01-03",
                "春节": "02-11..02-17",
                "清明节": "04-03..04-05",
                "劳动节": "05-01..05-05",
                "端午节": "06-12..06-14",
                "中秋节": "09-19..09-21",
                "国庆节": "10-01..10-07",
            },
            "02-07 02-20 04-25 05-08 09-18 09-26 10-09",
        ),
        _published(
            2022,
            _NOTICE.format(year=2022, number="国办发明电〔2021〕11号"),
            {
                "元旦": "01-01..01-03",
                "春节": "01-31..02-06",
                "清明节": "04-03..04-05",
                "劳动节": "04-30..05-04",
                "端午节": "06-03..06-05",
                "中秋节": "09-10..09-12",
                "国庆节": "10-01..10-07",
                "次年元旦": "12-31",
            },
            "01-29 01-30 04-02 04-24 05-07 10-08 10-09",
        ),
        _published(
            2023,
            _NOTICE.format(year=2023, number="国办发明电〔2022〕16号"),
            {
                "元旦": "01-01..01-02",
                "春节": "01-21..01-27",
                "清明节": "04-05",
                "劳动节": "04-29..05-03",
                "端午节": "06-22..06-24",
                "中秋节、国庆节": "09-29..10-06",
                "次年元旦": "12-30..12-31",
            },
            "01-28 01-29 04-23 05-06 06-25 10-07 10-08",
        ),
        _published(
            2024,
            _NOTICE.format(year=2024, number="国办发明电〔2023〕7号"),
            {
                "元旦": "01-01",
                "春节": "02-10..02-17",
                "清明节": "04-04..04-06",
                "劳动节": "05-01..05-05",
                "端午节": "06-10",
                "中秋节": "09-15..09-17",
                "国庆节": "10-01..10-07",
            },
            "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12",
        ),
        _published(
            2025,
            _NOTICE.format(year=2025, number="国办发明电〔2024〕12号"),
            {
                "元旦": "01-01",
                "春节": "01-28..02-04",
                "清明节": "04-04..04-06",
                "劳动节": "05-01..05-05",
                "端午节": "05-31..06-02",
                "国庆节、中秋节": "10-01..10-08",
            },
            "01-26 02-08 04-27 09-28 10-11",
        ),
        _published(
            2026,
            _NOTICE.format(year=2026, number="国办发明电〔2025〕7号"),
            {
                "元旦": "01-01..01-03",
                "春节": "02-15..02-23",
                "清明节": "04-04..04-06",
                "劳动节": "05-01..05-05",
                "端午节": "06-19..06-21",
                "中秋节": "09-25..09-27",
                "国庆节": "10-01..10-07",
            },
            "01-04 02-14 02-28 05-09 09-20 10-10",
        ),
    )
}
