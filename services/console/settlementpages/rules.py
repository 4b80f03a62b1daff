"""Words of settlements and reconciliations, and sums of what a page shows. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

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
    "proposed": (
        "已提交，须由另一位工作人员在“变更审批”中批准后生效。",
        "Proposed. It comes into force when another person approves it under Changes.",
    ),
}


def totals(items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of the settlements of a list: what stands below it."""
    by_payer: dict[str, int] = {}
    for one in items:
        for payer, fen in one["by_funding_source"].items():
            by_payer[payer] = by_payer.get(payer, 0) + fen
    return {
        "count": sum(one["count"] for one in items),
        "amount_fen": sum(one["amount_fen"] for one in items),
        "by_payer": by_payer,
    }
