"""Words of write-offs, and their lists as sheets. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.documents.papers import Cell, Fen

# Of a write-off: tone of its badge, Chinese, English.
STATES = {
    "redeemed": ("good", "已核销", "written off"),
    "reversed": ("bad", "已冲正", "reversed"),
}
STATE_CHOICES = (
    ("", "全部", "All"),
    ("redeemed", "已核销", "Written off"),
    ("reversed", "已冲正", "Reversed"),
)
SOURCES = {
    "online": ("", "联机", "online"),
    "batch": ("assumed", "离线补传", "offline"),
    "manual": ("paused", "人工核销", "by id number"),
}
SOURCE_CHOICES = (
    ("", "全部", "All"),
    ("online", "联机", "Online"),
    ("batch", "离线补传", "Offline"),
    ("manual", "人工核销", "By id number"),
)
SETTLEMENT_STATES = {
    "draft": ("assumed", "待确认", "to be confirmed"),
    "confirmed": ("", "已确认", "confirmed"),
    "paid": ("good", "已支付", "paid"),
}
DONE = {
    "proposed": (
        "已提交，须由另一位工作人员在“变更审批”中批准后生效。",
        "Proposed. It comes into force when another person approves it under Changes.",
    ),
}
EXPORT_HEADER = (
    "核销时间",
    "机构",
    "终端",
    "终端编号",
    "操作员",
    "券种",
    "请求号",
    "账单金额（元）",
    "抵扣金额（元）",
    "方式",
    "状态",
    "结算单",
)
EXPORT_WIDTHS = (18, 36, 20, 20, 12, 24, 28, 16, 16, 12, 10, 38)
ACTORS = {
    "terminal": ("由终端", "by a terminal"),
    "staff": ("由工作人员", "by a clerk"),
    "system": ("由系统", "by the system"),
}
CASE_CHOICES = (("", "全部", "All"), ("open", "待处理", "Open"), ("decided", "已处理", "Decided"))
MANUAL_HEADER = ("时间", "机构", "终端", "券种", "抵扣金额（元）", "原因", "状态", "核销编号")
MANUAL_WIDTHS = (18, 36, 20, 24, 16, 40, 10, 38)
CONFLICT_HEADER = ("发现时间", "机构", "终端", "状态", "涉及核销", "线索编号")
CONFLICT_WIDTHS = (18, 36, 20, 10, 12, 38)


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


def export_row(one: Mapping[str, Any], names: Mapping[str, str]) -> list[Cell]:
    """A write-off; `names` are those of the voucher types."""
    return [
        _minute(one["redeemed_at"]),
        one["institution"],
        one["terminal"],
        one["terminal_id"],
        " ".join(word for word in (one["operator"], one["operator_label"]) if word),
        names.get(one["voucher_type"], one["voucher_type"]),
        one["request_no"],
        "" if one["bill_fen"] is None else Fen(one["bill_fen"]),
        Fen(one["applied_fen"]),
        SOURCES[one["source"]][1],
        STATES[one["status"]][1],
        one["settlement_id"] or "",
    ]


def manual_row(one: Mapping[str, Any], names: Mapping[str, str]) -> list[Cell]:
    return [
        _minute(one["at"]),
        one["institution"],
        one["terminal"],
        names.get(one["voucher_type"], one["voucher_type"]),
        Fen(one["applied_fen"]),
        one["reason"] or "（持券人已注销，原因已删除）",
        STATES[one["status"]][1],
        one["redemption_id"],
    ]


def conflict_row(one: Mapping[str, Any]) -> list[Cell]:
    """Of the case of a conflict."""
    return [
        _minute(one["opened_at"]),
        one["institution"],
        one["terminal"] or one["terminal_id"] or "",
        "待处理" if one["status"] == "open" else "已处理",
        one["redemptions"],
        one["id"],
    ]


def terminal_choices(terminals: Sequence[Mapping[str, Any]], chosen: str) -> list[tuple[str, str, str]]:
    """What a form offers, by label; with one that was asked for by its address and is not among them."""
    known = [(one["terminal_id"], one["label"], one["label"]) for one in terminals]
    if chosen and all(chosen != value for value, _, _ in known):
        known.append((chosen, chosen, chosen))
    return [("", "全部", "All"), *known] if known else []
