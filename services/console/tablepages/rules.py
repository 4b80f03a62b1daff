"""What a check of a table found, as a paper. Pure: the finding itself is the service's."""

from collections.abc import Mapping
from typing import Any

from shared.documents.papers import Cell, Facts, Grid, Lines, Paper

# What the check calls its findings, for people: Chinese, English.
KINDS: Mapping[str, tuple[str, str]] = {
    "share": ("占比", "share"),
    "quota": ("任务数", "quota"),
    "subtotal": ("小计", "subtotal"),
    "total": ("合计", "total"),
    "base": ("分配总数", "base"),
    "duplicate": ("重复", "duplicate"),
    "unreadable": ("无法识别", "unreadable"),
    "unknown_alliance": ("医共体不在表中", "unknown alliance"),
}
CHECKED: Mapping[str, tuple[str, str]] = {
    "rows": ("数据行", "rows"),
    "subtotals": ("小计", "subtotals"),
    "totals": ("合计", "totals"),
    "adjustments": ("调整", "adjustments"),
}
_HEADER = ("序号", "类别", "位置", "公布值", "核算值", "差额", "说明")
_WIDTHS = (6, 12, 34, 14, 14, 12, 70)


def findings_paper(check: Mapping[str, Any], file_name: str, checked_at: str) -> Paper:
    """One sheet: what was looked at, and a row for each finding."""
    counted = "，".join(f"{CHECKED[key][0]} {count}" for key, count in check["checked"].items())
    facts = Facts((("文件", file_name), ("核对时间", checked_at), ("核对范围", counted)))
    if check["ok"]:
        return Paper("核对结果", "分配表核对结果", (facts, Lines(("未发现问题。",))))
    rows = [_row(number, finding) for number, finding in enumerate(check["findings"], start=1)]
    return Paper("核对结果", "分配表核对结果", (facts, Grid(_HEADER, rows, _WIDTHS)))


def _row(number: int, finding: Mapping[str, Any]) -> list[Cell]:
    kind = KINDS.get(finding["kind"], (finding["kind"], ""))[0]
    figures = [_cell(finding[key]) for key in ("published", "recomputed", "difference")]
    return [number, kind, finding["where"], *figures, finding["message"]]


def _cell(value: int | str | None) -> Cell:
    return "" if value is None else value
