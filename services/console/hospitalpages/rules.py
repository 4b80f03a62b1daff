"""How a hospital's own figures are put on its page. Pure; no figure is computed here."""

from typing import Any

# A sub-code's kind: (value of the call, Chinese, English).
KINDS = (("department", "科室", "Department"), ("channel", "渠道", "Channel"), ("staff", "人员", "Staff"))
KIND_NAMES = {value: (zh, en) for value, zh, en in KINDS}

# What the trace calls things.
EVENT_KINDS = {
    "issued": ("发卡", "issued"),
    "used": ("用卡", "used"),
    "cancelled": ("注销", "cancelled"),
    "landed": ("打开申领页", "landed"),
    "applied": ("提交申领", "applied"),
}
# Of an appeal: tone of its badge, Chinese, English.
APPEAL_STATES = {
    "open": ("", "待答复", "waiting"),
    "upheld": ("good", "成立", "upheld"),
    "rejected": ("bad", "不成立", "rejected"),
}
CARD_STATES = {
    "none": ("没有卡", "no card"),
    "active": ("有效", "active"),
    "cancelled": ("已注销", "cancelled"),
}


def own_row(items: list[dict[str, Any]], hospital_id: str) -> dict[str, Any] | None:
    """The hospital's row of a list that the service has cut to it already."""
    return next((item for item in items if item["hospital_id"] == hospital_id), None)


def code_in_use(codes: list[dict[str, Any]]) -> dict[str, Any] | None:
    return next((code for code in codes if code["replaced_at"] is None), None)
