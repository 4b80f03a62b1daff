"""Words of terminals. Pure."""

from collections.abc import Mapping
from typing import Any

from services.console.institutionpages.rules import STATES
from shared.documents.papers import Cell

STATE_CHOICES = (
    ("", "全部", "All"),
    ("active", "正常", "Active"),
    ("paused", "已暂停", "Paused"),
    ("pending", "待激活", "Waiting for its device"),
    ("revoked", "已注销", "Revoked"),
)
SILENT_CHOICES = (
    ("", "不限", "Any time"),
    ("1", "1 天未联机", "Silent for a day"),
    ("3", "3 天未联机", "Silent for 3 days"),
    ("7", "7 天未联机", "Silent for a week"),
)
SKEW_CHOICES = (
    ("", "不限", "Any"),
    ("60", "偏差 1 分钟以上", "Off by a minute"),
    ("300", "偏差 5 分钟以上", "Off by 5 minutes"),
)
EXPORT_HEADER = ("机构", "终端", "终端编号", "状态", "启用时间", "最近联机", "时钟偏差（秒）", "软件版本")
EXPORT_WIDTHS = (36, 20, 20, 10, 18, 18, 16, 16)


def export_row(one: Mapping[str, Any]) -> list[Cell]:
    return [
        one["institution"],
        one["label"],
        one["terminal_id"],
        STATES[one["status"]][1],
        _minute(one["activated_at"]),
        _minute(one["last_seen_at"]),
        "" if one["clock_skew_seconds"] is None else one["clock_skew_seconds"],
        one["version"] or "",
    ]


def _minute(moment: str | None) -> str:
    return "" if moment is None else moment[:16].replace("T", " ")
