"""Words of institutions and terminals, and how opening hours are typed. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.documents.papers import Cell
from shared.vouchers.categories import category_name

# State: tone of its badge, Chinese, English.
STATES = {
    "active": ("good", "正常", "active"),
    "paused": ("paused", "已暂停", "paused"),
    "closed": ("ended", "已退出", "closed"),
    "pending": ("assumed", "待激活", "waiting for its device"),
    "revoked": ("ended", "已注销", "revoked"),
}
STATE_CHOICES = (
    ("", "全部（不含已退出）", "All but closed ones"),
    ("active", "正常", "Active"),
    ("paused", "已暂停", "Paused"),
    ("closed", "已退出", "Closed"),
)
OWNERSHIP = (("", "全部", "All"), ("true", "公立", "Public"), ("false", "非公立", "Private"))
OWNED = (("", "未说明", "Not said"), ("true", "公立", "Public"), ("false", "非公立", "Private"))
WEEKDAYS = (
    ("mon", "周一", "Mon"),
    ("tue", "周二", "Tue"),
    ("wed", "周三", "Wed"),
    ("thu", "周四", "Thu"),
    ("fri", "周五", "Fri"),
    ("sat", "周六", "Sat"),
    ("sun", "周日", "Sun"),
)
CAUSES = {
    "create": ("录入", "entered"),
    "edit": ("修改", "edited"),
    "import": ("导入", "imported"),
    "undo": ("撤销导入", "import undone"),
    "approve": ("批准受理券种", "types approved"),
    "close": ("退出", "closed"),
}
DONE = {
    "made": ("已录入。", "Entered."),
    "saved": ("已保存。", "Saved."),
    "awaiting": (
        "已保存；新增的受理券种须经另一人审批后生效（见“变更审批”）。",
        "Saved; its new types come into force when another person approves them (see Changes).",
    ),
    "pause": ("已暂停，立即生效。", "Paused, at once."),
    "resume": ("已恢复。", "Works again."),
    "close": ("已退出。", "Closed."),
    "revoke": ("终端已注销。", "The terminal was revoked."),
    "operator": ("操作员名单已更新，立即生效。", "The list of operators is changed, at once."),
    "rule": ("已保存，立即生效。", "Saved, at once."),
    "proposed": (
        "已提交，须由另一位工作人员在“变更审批”中批准后生效。",
        "Proposed. It comes into force when another person approves it under Changes.",
    ),
}
PROPOSED = {
    "institution.contract_price": ("协议价", "contract price"),
    "institution.payee_account": ("收款账户", "payee account"),
}
EXPORT_HEADER = ("名称", "类别", "县市", "公立", "地址", "受理券种", "状态", "编号")
EXPORT_WIDTHS = (36, 16, 12, 8, 40, 40, 10, 20)
_OWNED_WORDS = {True: "是", False: "否", None: ""}
# A clock that is further off is told to somebody: a till whose clock is minutes off is refused.
SKEW_SECONDS_SHOWN = 60

_BETWEEN = re.compile(r"[\s,，、;；]+")


def hours_of(typed: Mapping[str, str]) -> dict[str, list[str]] | None:
    """Spans by weekday, for the call to judge; None where nothing was typed."""
    spans = {day: _spans(typed.get(day, "")) for day, _, _ in WEEKDAYS}
    return {day: told for day, told in spans.items() if told} or None


def typed_hours(hours: Mapping[str, Sequence[str]] | None) -> dict[str, str]:
    return {day: ", ".join((hours or {}).get(day, ())) for day, _, _ in WEEKDAYS}


def words_of(text: str) -> list[str]:
    return [word for word in _BETWEEN.split(text) if word]


def _spans(text: str) -> list[str]:
    return words_of(text.replace("—", "-").replace("–", "-").replace("：", ":"))


def with_expiry(seen: Sequence[Mapping[str, Any]], made: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Terminals as they were last seen, with until when their activation codes are good."""
    until = {one["terminal_id"]: one["activation_expires_at"] for one in made}
    return [{**one, "activation_expires_at": until.get(one["terminal_id"])} for one in seen]


def export_row(one: Mapping[str, Any], names: Mapping[str, str]) -> list[Cell]:
    """An institution of the directory; `names` are those of the voucher types."""
    return [
        one["name"],
        category_name(one["category"]),
        one["county"] or "",
        _OWNED_WORDS[one["public"]],
        one["address"] or "",
        "、".join(names.get(key, key) for key in one["accepts"]),
        STATES[one["status"]][1],
        one["id"],
    ]


def waiting(changes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Changes of an institution that nobody has decided, with what they are called."""
    return [{**one, "name": PROPOSED.get(one["kind"], (one["kind"], one["kind"]))} for one in changes]
