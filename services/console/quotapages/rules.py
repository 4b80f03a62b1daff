"""Words and the order of things on the pages of card programmes. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from shared.documents.papers import Cell, Facts, Grid, Paper

METHODS = (
    ("largest_remainder", "最大余额法（合计必等于总数）", "largest remainder (adds up exactly)"),
    ("round_each", "逐家四舍五入", "each one rounded"),
)
VISITS = "visits"


def basis_choices(bases: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Value, Chinese, English; the visits are called as people call them."""
    return [
        (one["basis"], "诊疗人次", "visits") if one["basis"] == VISITS else (one["basis"],) * 3
        for one in bases
    ]


def alliance_choices(alliances: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    return [("", "全部", "all"), *((one["alliance"],) * 3 for one in alliances)]


def permille(rate: str | None) -> int:
    """Of a rate as the services write it, for a drawing."""
    return 0 if rate is None else int(Decimal(rate) * 1000)


def points(lead: str | None) -> str:
    """A lead over the calendar in percentage points, with its sign."""
    return "–" if lead is None else f"{Decimal(lead) * 100:+.1f}"


def behind(lead: str | None) -> bool:
    return lead is not None and Decimal(lead) < 0


def _percent(rate: str | None) -> str:
    return "" if rate is None else f"{Decimal(rate) * 100:.1f}%"


def progress_papers(view: Mapping[str, Any]) -> list[Paper]:
    """The progress as sheets: hospitals, alliances, and who is likely to miss."""
    facts = Facts(
        (
            ("数据时间", view["as_of"][:16].replace("T", " ")),
            ("已发卡", f"{view['issued']:,}"),
            ("其中未归属", f"{view['unattributed']:,}"),
            ("截止日期", view["ends_on"] or "未定"),
        )
    )
    return [
        Paper("医院", "任务进度（医院）", (facts, _hospitals(view["items"]))),
        Paper("医共体", "任务进度（医共体）", (facts, _alliances(view["alliances"]))),
        Paper("可能完不成", "可能完不成的医院", (facts, _warned(view["warnings"]))),
    ]


def _hospitals(items: Sequence[Mapping[str, Any]]) -> Grid:
    rows: list[list[Cell]] = [
        [
            one["hospital"], one["alliance"] or "独立", _cell(one["quota"]), one["issued"], one["effective"],
            one["used"], _percent(one["rate"]), points(one["lead"]), one["month_issued"],
            _cell(one["needed_per_working_day"]), one["forecast_date"] or "",
        ]
        for one in items
    ]  # fmt: skip
    header = (
        "医院", "医共体", "任务数", "已发", "有效", "使用", "完成率", "超前/落后（百分点）", "本月",
        "每工作日需", "预计完成日",
    )  # fmt: skip
    return Grid(header, rows, (36, 20, 12, 12, 12, 12, 10, 18, 10, 12, 14))


def _alliances(items: Sequence[Mapping[str, Any]]) -> Grid:
    rows: list[list[Cell]] = [
        [
            one["alliance"], one["quota"], one["issued"], one["effective"], one["used"],
            _percent(one["rate"]), points(one["lead"]), one["month_issued"], _cell(one["expected"]),
        ]
        for one in items
    ]  # fmt: skip
    header = ("医共体", "任务数", "已发", "有效", "使用", "完成率", "超前/落后（百分点）", "本月", "预计完成")
    return Grid(header, rows, (30, 12, 12, 12, 12, 10, 18, 10, 12))


def _warned(items: Sequence[Mapping[str, Any]]) -> Grid:
    rows: list[list[Cell]] = [
        [
            one["hospital"], one["alliance"] or "独立", one["quota"], one["issued"], one["expected"],
            one["shortfall"], _percent(one["miss_probability"]), _cell(one["needed_per_working_day"]),
        ]
        for one in items
    ]  # fmt: skip
    header = ("医院", "医共体", "任务数", "已发", "预计", "预计缺口", "完不成的概率", "每工作日需")
    return Grid(header, rows, (36, 20, 12, 12, 12, 12, 14, 12))


def _cell(value: int | None) -> Cell:
    return "" if value is None else value
