"""Reconciliations as a sheet, and what a difference says. Pure."""

from collections.abc import Mapping
from typing import Any

from shared.documents.papers import Cell

EXPORT_HEADER = (
    "时间",
    "机构",
    "账期起",
    "账期止",
    "一致",
    "仅我方有",
    "仅对方有",
    "不一致",
    "无法识别",
    "编号",
)
EXPORT_WIDTHS = (18, 36, 12, 12, 10, 10, 10, 10, 10, 38)


def export_row(one: Mapping[str, Any]) -> list[Cell]:
    counts = one["counts"]
    names = ("matched", "only_ours", "only_theirs", "different", "rejected")
    return [
        one["at"][:16].replace("T", " "),
        one["institution"],
        one["from"],
        one["to"],
        *(counts[name] for name in names),
        one["id"],
    ]
