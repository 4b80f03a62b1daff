"""Words of settlements and reconciliations, and the path of a settlement. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.documents.papers import Cell, Fen

# Of a settlement: tone of its badge, Chinese, English.
STATES = {
    "draft": ("assumed", "待确认", "to be confirmed"),
    "confirmed": ("", "已确认", "confirmed"),
    "paid": ("good", "已支付", "paid"),
}
STATE_CHOICES = (
    ("", "全部", "All"),
    ("draft", "待确认", "To be confirmed"),
    ("confirmed", "已确认", "Confirmed"),
    ("paid", "已支付", "Paid"),
)
DISPUTE_CHOICES = (("", "全部", "All"), ("true", "异议待答复", "Disputed, not answered"))
PAY = "settlement.pay"
PROPOSED = {
    PAY: ("支付", "Payment"),
    "settlement.uphold_dispute": ("异议成立，撤出所选核销", "Dispute upheld: write-offs taken out"),
}
EXPORT_HEADER = ("账期起", "账期止", "机构", "状态", "异议", "核销笔数", "更正笔数", "金额（元）")
EXPORT_WIDTHS = (12, 12, 36, 10, 10, 10, 10, 16)
KINDS = {"redemption": ("核销", "write-offs"), "correction": ("更正", "corrections")}
CAUSES = {
    "hold_period": ("观察期内", "too young"),
    "write_off_hold": ("单笔暂扣", "held by itself"),
    "institution_hold": ("机构暂扣", "its institution is held"),
}
OUTCOMES = {
    "upheld": ("成立，已更正", "right, and corrected"),
    "rejected": ("不成立", "rejected"),
    "confirmed": ("机构已确认", "confirmed all the same"),
    "restated": ("已重述", "stated again"),
}
HINTS = {
    "reversed": ("我方已冲正", "undone with us"),
    "other_period": ("属于其他日期", "of another day"),
    "repeated": ("对方重复列出", "listed too often"),
    "unknown": ("我方没有", "unknown to us"),
}
FIELDS = {
    "voucher_type": ("券种", "type"),
    "applied_fen": ("金额", "amount"),
    "redeemed_at": ("时间", "time"),
}
BUCKETS = (
    ("matched", "一致", "Matched", "good"),
    ("only_ours", "仅我方有", "Only ours", "bad"),
    ("only_theirs", "仅对方有", "Only theirs", "bad"),
    ("different", "不一致", "Different", "bad"),
    ("rejected", "无法识别", "Unreadable", "paused"),
)
JOB_STATES = {
    "queued": ("assumed", "排队中", "waiting"),
    "running": ("", "进行中", "running"),
    "succeeded": ("good", "已完成", "done"),
    "failed": ("bad", "失败", "failed"),
}
ENDED = frozenset({"succeeded", "failed"})
DONE = {
    "confirmed": ("已确认，等待支付。", "Confirmed; it can be paid now."),
    "disputed": ("异议已提交，由卫健委答复。", "The dispute was lodged; the bureau will answer it."),
    "rejected": ("已答复：异议不成立。", "Answered: the dispute is rejected."),
    "approved": ("已批准，立即生效。", "Approved, and in force at once."),
    "proposed": (
        "已提交，须由另一位工作人员在“变更审批”中批准后生效。",
        "Proposed. It comes into force when another person approves it under Changes.",
    ),
}


def path_of(one: Mapping[str, Any], proposed: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The steps of a settlement, each with since when it is done, and which is next."""
    paying = next((change for change in proposed if change["kind"] == PAY), None)
    offered = one["paid_at"] or (paying["proposed_at"] if paying else None)
    told = (
        ("已生成", "Made", one["created_at"]),
        ("机构确认", "Confirmed by the institution", one["confirmed_at"]),
        ("提交支付", "Payment proposed", offered),
        ("审批并支付", "Approved and paid", one["paid_at"]),
    )
    done = sum(1 for _, _, at in told if at)
    return [
        {"zh": zh, "en": en, "at": at, "state": "done" if at else ("next" if place == done else "later")}
        for place, (zh, en, at) in enumerate(told)
    ]


def export_rows(items: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[Cell]]]:
    """A header and a row for each settlement, with a column for each payer of any of them."""
    payers = {key: name for one in items for key, name in one["payers"].items()}
    header = [*EXPORT_HEADER, *(f"{name}（元）" for name in payers.values()), "结算单号"]
    rows: list[list[Cell]] = [
        [
            one["from"],
            one["to"],
            one["institution"],
            STATES[one["status"]][1],
            "有异议" if one["dispute"] else "",
            one["count"],
            one["corrections"],
            Fen(one["amount_fen"]),
            *(Fen(one["by_funding_source"].get(key, 0)) for key in payers),
            one["id"],
        ]
        for one in items
    ]
    return header, rows
