"""Words of risk cases and of the institutions' ranking, and failed days as a sheet. Pure."""

from collections.abc import Mapping
from typing import Any

from shared.documents.papers import Cell
from shared.riskwords import REASONS

KINDS = {
    "offline_conflict": ("离线冲突", "offline conflict"),
    "capacity": ("超出接待能力", "beyond its capacity"),
    "burst": ("领后即核", "right after issue"),
    "hours": ("非营业时间", "outside opening hours"),
    "amounts": ("金额雷同", "equal amounts"),
    "closed_group": ("固定人群", "closed group"),
    "shared_device": ("共用设备", "shared device"),
    "shared_address": ("共用网络", "shared address"),
    "manual": ("人工核销偏多", "many by id number"),
    "reversals": ("冲正偏多", "many reversals"),
    "jump": ("突增", "sudden rise"),
    "wrong_codes": ("错误券码", "wrong codes"),
}
KIND_CHOICES = (("", "全部", "All"), *((key, zh, en.capitalize()) for key, (zh, en) in KINDS.items()))
# Facts of a case that is no signal.
FACTS = {
    "request_no": ("请求号", "Request number"),
    "used_at": ("离线使用时间", "Used without a line at"),
    "used_by": ("此前的使用", "Used before by"),
    "voucher_id": ("券编号", "Voucher id"),
    "wrong_codes": ("错误券码次数", "Wrong codes"),
    "locked_until": ("锁定至", "Locked until"),
}
STATES = {"open": ("bad", "待处理", "open"), "decided": ("good", "已处理", "decided")}
STATE_CHOICES = (("", "全部", "All"), ("open", "待处理", "Open"), ("decided", "已处理", "Decided"))
DECISIONS = {
    "dismiss": ("排除", "dismissed"),
    "watch": ("继续观察", "watched"),
    "hold_settlement": ("暂不结算", "held back"),
    "pause_terminal": ("暂停终端", "terminal paused"),
    "pause_institution": ("暂停机构", "institution paused"),
}
DECISION_CHOICES = tuple((key, zh, en.capitalize()) for key, (zh, en) in DECISIONS.items())
ACTIONS = {
    "decide": ("处理", "decided"),
    "release": ("解除暂扣", "released"),
    "reopen": ("重新打开", "opened again"),
}
DONE = {
    "decided": ("已处理，立即生效。", "Decided; it bites at once."),
    "released": ("已解除暂扣。", "Released."),
    "reopened": ("已重新打开，原处理撤销。", "Open again; what was decided is taken back."),
    "queued": ("已重新排队计算。", "It is tried again."),
    "proposed": (
        "已提交，须由另一位工作人员在“变更审批”中批准后生效。",
        "Proposed. It comes into force when another person approves it under Changes.",
    ),
}
FAILED_HEADER = ("日期", "机构", "尝试次数", "错误", "首次失败", "编号")
FAILED_WIDTHS = (12, 36, 10, 60, 18, 38)


def failed_row(one: Mapping[str, Any]) -> list[Cell]:
    return [
        one["day"],
        one["institution"] or one["institution_id"],
        one["attempts"],
        one["error"] or "",
        one["created_at"][:16].replace("T", " "),
        one["id"],
    ]


def reason_told(reason: Mapping[str, Any], language: str) -> tuple[str, str, str]:
    """What was seen in words, how much of it, and from where on it counts."""
    code = reason["code"]
    zh, en, is_share = REASONS.get(code, (code, code, False))
    seen, least = (_amount(reason.get(part), share=is_share) for part in ("value", "threshold"))
    return (en if language == "en" else zh, seen, least)


def _amount(value: float | None, *, share: bool) -> str:
    if value is None:
        return "–"
    return f"{value * 100:.1f}%" if share else f"{value:,.10g}"
