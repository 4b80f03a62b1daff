"""The notice's workbook: the whole list, the warnings, and a sheet for each alliance. Pure."""

import re
from collections.abc import Sequence
from decimal import Decimal

from services.quota.bulletins.rules import (
    ALONE,
    NOTHING,
    Occasion,
    by_alliance,
    likely_to_miss,
    moment,
    share_of,
    units_of,
)
from services.quota.rankings.schemas import RankingItem
from shared.documents.papers import Cell, Facts, Grid, Lines, Paper, Rate

WARNINGS = "预警"
OUTLOOK_COLUMNS = ("每工作日需发卡", "不能按期概率")
_SHEET_NAME_MAX = 31
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\']")


def papers(occasion: Occasion) -> list[Paper]:
    """The workbook: the whole list with the alliances' sums, then a sheet for each alliance."""
    items, ranking = occasion.ranking.items, occasion.ranking
    groups = by_alliance(items)
    facts = Facts(
        [
            ("月份", occasion.month),
            ("版次", f"第 {ranking.edition} 版" if ranking.frozen else "未冻结"),
            *([("更正说明", ranking.reason)] if ranking.reason else []),
            ("数据截至", moment(occasion.as_of)),
            ("未归属发卡数", f"{ranking.unattributed}（未计入下表）"),
        ]
    )
    # Figures stand below those of the list.
    sums = Grid(
        header=["序号", "医共体", "机构数", "任务数", "本月发卡", "累计发卡", "完成率"],
        rows=[
            [place, name, len(members), *_figures(members)]
            for place, (name, members) in enumerate(units_of(items), start=1)
        ],
        widths=[12, 30, 20, 12, 12, 12, 12],
        total=["", "合计", len(items), *_figures(items)],
        caption="各医共体和独立单位",
    )
    mark = "；".join(occasion.marks) or None
    warned = likely_to_miss(items)
    # The sheet of warnings has its name first, so that an alliance of that name makes way.
    names = sheet_names(["合计", WARNINGS, *(name or ALONE for name in groups)])
    whole = Paper(names[0], occasion.name, (facts, _grid(items), sums), mark)
    return [
        whole,
        *([_warnings(occasion, warned, mark)] if warned else []),
        *(
            Paper(sheet, f"{occasion.name}　{alliance or ALONE}", (_grid(members),), mark)
            for sheet, (alliance, members) in zip(names[2:], groups.items(), strict=True)
        ),
    ]


def sheet_names(names: Sequence[str]) -> list[str]:
    """Names that a workbook takes: without its own signs, at most 31 characters, no two alike."""
    taken: dict[str, str] = {}
    for name in names:
        plain = _NOT_IN_SHEET_NAMES.sub("_", name).strip() or "_"
        made, number = plain[:_SHEET_NAME_MAX], 2
        while made.casefold() in taken:
            tail = f"~{number}"
            made, number = plain[: _SHEET_NAME_MAX - len(tail)] + tail, number + 1
        taken[made.casefold()] = made
    return list(taken.values())


def _figures(items: Sequence[RankingItem]) -> list[Cell]:
    quota, issued = sum(item.quota for item in items), sum(item.issued for item in items)
    share = share_of(issued, quota)
    month_issued = sum(item.month_issued for item in items)
    return [quota, month_issued, issued, NOTHING if share is None else Rate(share)]


def _grid(items: Sequence[RankingItem]) -> Grid:
    """Levels and the outlook are columns only where there are any."""
    levels, outlook = any(item.level for item in items), any(item.miss_probability for item in items)
    rows: list[list[Cell]] = [
        [
            NOTHING if item.rank is None else item.rank,
            item.hospital,
            item.alliance,
            *_figures([item]),
            NOTHING if item.rank_change is None else item.rank_change,
            "未达标且列末三位" if item.flagged else "",
            *([item.level] if levels else []),
            *(_outlook(item) if outlook else []),
        ]
        for item in items
    ]
    more = [*(["级别"] if levels else []), *(OUTLOOK_COLUMNS if outlook else [])]
    return Grid(
        header=[
            "名次",
            "医疗机构",
            "医共体",
            "任务数",
            "本月发卡",
            "累计发卡",
            "完成率",
            "名次变化",
            "备注",
            *more,
        ],
        rows=rows,
        widths=[12, 30, 20, 12, 12, 12, 12, 10, 20, *[16] * len(more)],
        total=["合计", "", "", *_figures(items), "", "", *[""] * len(more)],
    )


def _outlook(item: RankingItem) -> list[Cell]:
    needed, miss = item.needed_per_working_day, item.miss_probability
    return [NOTHING if needed is None else needed, NOTHING if miss is None else Rate(Decimal(miss))]


def _warnings(occasion: Occasion, warned: Sequence[RankingItem], mark: str | None) -> Paper:
    """Who is likely to miss the quota, the surest first."""
    grid = Grid(
        header=["医疗机构", "医共体", "任务数", "累计发卡", "还差", *OUTLOOK_COLUMNS],
        rows=[
            [
                item.hospital,
                item.alliance,
                item.quota,
                item.issued,
                item.quota - item.issued,
                *_outlook(item),
            ]
            for item in warned
        ],
        widths=[30, 20, 12, 12, 12, 16, 16],
    )
    told = Lines(
        [
            f"按截至{occasion.month}末近30日的进度测算，按期完成任务的可能性不足一半的单位，可能性小的在前。",
            "测算假定今后进度与近30日相同，分别计算工作日和休息日；不预见集中推广等变化。",
        ]
    )
    return Paper(WARNINGS, f"{occasion.title}　按期完成预警", (told, grid), mark)
