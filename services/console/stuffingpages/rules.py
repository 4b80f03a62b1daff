"""Words of cases of stuffing, and their list on paper. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.documents.papers import Cell

Words = tuple[str, str]

KINDS: Mapping[str, Words] = {
    "burst": ("短时间集中", "burst of cards"),
    "regular": ("间隔过于均匀", "too regular"),
    "unused": ("领而不用", "hardly used"),
    "devices": ("一机多卡", "one device, many cards"),
}
# Of a case: tone of its badge, Chinese, English.
STATES: Mapping[str, tuple[str, str, str]] = {
    "open": ("paused", "待处理", "open"),
    "watching": ("paused", "继续观察", "watched"),
    "dismissed": ("ended", "排除", "dismissed"),
    "confirmed": ("bad", "认定为刷卡", "confirmed"),
}
KIND_CHOICES = (("", "全部", "all"), *((key, *words) for key, words in KINDS.items()))
STATE_CHOICES = (("", "全部", "all"), *((key, zh, en) for key, (_, zh, en) in STATES.items()))
DECISIONS = (("watching", "继续观察", "watch on"), ("dismissed", "排除", "dismiss"))
DONE: Mapping[str, Words] = {
    "decided": ("已处理，案件照此显示。", "Decided."),
    "proposed": ("已提交变更，待另一人批准后生效：", "Proposed; a second person approves it: "),
}
HEADER = (
    "发现时间", "日期", "医院", "二维码", "类型", "分值", "涉及卡数", "不计有效", "依据", "状态",
    "处理时间", "处理理由",
)  # fmt: skip
WIDTHS = (18, 12, 34, 16, 14, 8, 10, 10, 70, 14, 18, 40)


def case_row(case: Mapping[str, Any]) -> Sequence[Cell]:
    return [
        _when(case["opened_at"]),
        case["day"],
        case["hospital"],
        case["scene"],
        KINDS.get(case["kind"], (case["kind"], ""))[0],
        case["score"],
        case["cards"],
        case["not_effective"],
        case["why"],
        STATES[case["status"]][1],
        _when(case["decided_at"]),
        case["reason"] or "",
    ]


def _when(moment: str | None) -> str:
    return moment[:16].replace("T", " ") if moment else ""
