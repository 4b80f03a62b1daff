"""Words of rankings and notices. Pure."""

from collections.abc import Mapping

FIELDS: Mapping[str, tuple[str, str]] = {
    "rank": ("排名", "rank"),
    "quota": ("任务数", "quota"),
    "month_issued": ("当月", "month"),
    "issued": ("累计", "issued"),
    "rank_change": ("名次变化", "change of rank"),
    "flagged": ("后三位标记", "flag"),
    "alliance": ("医共体", "alliance"),
    "level": ("级别", "level"),
    "listed": ("是否在列", "listed"),
    "hospital": ("名称", "name"),
}


# Of the address → the file's name for people.
DOCUMENTS: Mapping[str, str] = {
    "bulletin.docx": "通报",
    "bulletin.xlsx": "通报附表",
    "reminders.zip": "提醒函",
}


def arrow(change: int | None) -> str:
    if change is None:
        return "–"
    return "＝" if change == 0 else f"↑{change}" if change > 0 else f"↓{-change}"
