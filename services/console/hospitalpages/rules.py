"""How a hospital's own figures are put on its page. Pure; no figure is computed here."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.documents.papers import Cell

# Half a year fits beside each other.
TREND_MONTHS = 6

# A sub-code's kind: (value of the call, Chinese, English).
KINDS = (("department", "科室", "Department"), ("channel", "渠道", "Channel"), ("staff", "人员", "Staff"))
KIND_NAMES = {value: (zh, en) for value, zh, en in KINDS}
SUB_CODE_HEADER = ("名称", "类别", "扫码", "发卡", "使用", "状态", "停用原因")
SUB_CODE_WIDTHS = (40, 10, 10, 10, 10, 10, 40)


def sub_code_row(item: Mapping[str, Any]) -> Sequence[Cell]:
    return [
        item["label"],
        KIND_NAMES[item["kind"]][0],
        item["scans"],
        item["issued"],
        item["used"],
        "在用" if item["scene"] else "已停用",
        item["retired_reason"] or "",
    ]


def own_row(items: list[dict[str, Any]], hospital_id: str) -> dict[str, Any] | None:
    """The hospital's row of a list that the service has cut to it already."""
    return next((item for item in items if item["hospital_id"] == hospital_id), None)


def code_in_use(codes: list[dict[str, Any]]) -> dict[str, Any] | None:
    return next((code for code in codes if code["replaced_at"] is None), None)


def months_until(last: str, starts_on: str | None) -> list[str]:
    """At most six months (YYYY-MM) that end with `last` and do not begin before the programme, in order."""
    year, month = map(int, last.split("-"))
    found = []
    for back in range(TREND_MONTHS):
        place = year * 12 + month - 1 - back
        found.append(f"{place // 12:04d}-{place % 12 + 1:02d}")
    return [one for one in reversed(found) if starts_on is None or one >= starts_on[:7]]
