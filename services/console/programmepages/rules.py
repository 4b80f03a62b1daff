"""Words of programmes and of calendars. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.documents.papers import Cell

Words = tuple[str, str]

ORIGINS: Mapping[str, Words] = {
    "shipped": ("平台自带", "shipped with the platform"),
    "imported": ("导入", "imported"),
    "weekdays": ("无日历，按周一至周五", "no calendar: Monday to Friday"),
}
WEEKDAYS: tuple[Words, ...] = (
    ("一", "Mon"),
    ("二", "Tue"),
    ("三", "Wed"),
    ("四", "Thu"),
    ("五", "Fri"),
    ("六", "Sat"),
    ("日", "Sun"),
)
DAY_HEADER = ("日期", "类型", "名称")
DAY_WIDTHS = (14, 10, 20)
# Which of a calendar's days are shown: value, Chinese, English.
WHAT_CHOICES = (("", "全部", "All"), ("off", "放假", "Off"), ("works", "上班", "Worked"))
PROGRAMME_HEADER = ("任务", "代码", "目标", "任务前已发", "还需发卡", "截止日期", "已冻结至")
PROGRAMME_WIDTHS = (40, 24, 14, 14, 14, 14, 14)


def days_of(shown: Mapping[str, Any] | None, what: str) -> list[Mapping[str, Any]]:
    """The named days of a year's calendar: all, or those worked or off."""
    days = shown["days"] if shown else []
    return [one for one in days if not what or one["works"] == (what == "works")]


def programme_row(one: Mapping[str, Any]) -> Sequence[Cell]:
    return [
        one["title"],
        one["slug"],
        one["target_cards"],
        one["issued_before"]["cards"],
        one["remaining_exact"],
        one["ends_on"] or "",
        one["frozen_through"] or "",
    ]
