"""Words of the question bank and of what its figures say. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

DIFFICULTIES = (("", "全部", "All"), ("1", "易", "Easy"), ("2", "中", "Medium"), ("3", "难", "Hard"))
DIFFICULTY_NAMES = {1: ("易", "easy"), 2: ("中", "medium"), 3: ("难", "hard")}
STATES = (
    ("active", "使用中", "In use"),
    ("retired", "已停用", "Retired"),
    ("replaced", "旧版本", "Older versions"),
    ("all", "全部", "All"),
)
STATE_BADGES = {
    "active": ("good", "使用中", "in use"),
    "retired": ("ended", "已停用", "retired"),
    "replaced": ("ended", "旧版本", "replaced"),
}
# Of a question's figures: tone of its badge, Chinese, English.
VERDICTS = {
    "too_hard": ("bad", "过难", "too hard"),
    "fine": ("good", "合适", "fine"),
    "too_easy": ("paused", "过易", "too easy"),
    "misleading": ("bad", "误导", "misleading"),
    "not_enough_data": ("ended", "数据不足", "too few answers"),
}
VERDICT_CHOICES = (("", "全部", "All"), *((key, zh, en) for key, (_, zh, en) in VERDICTS.items()))
STATISTICS_HEADER = ("题号", "题目", "难度", "答题次数", "正确率", "区分度", "相关系数", "评价", "已停用")
STATISTICS_WIDTHS = (10, 60, 8, 12, 10, 10, 10, 12, 10)


def statistics_row(item: Mapping[str, Any]) -> list[str | int]:
    return [
        item["question_id"],
        item["text"],
        DIFFICULTY_NAMES[item["difficulty"]][0],
        item["attempts"],
        item["facility"] or "",
        item["discrimination"] or "",
        item["point_biserial"] or "",
        VERDICTS[item["verdict"]][1],
        "是" if item["retired"] else "",
    ]


def two_places(value: str | None) -> str:
    """A correlation, for people."""
    return "–" if value is None else f"{Decimal(value):.2f}"
