"""Words of institutions and terminals, and how opening hours are typed. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

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
KEPT = {
    "changed_since": ("之后被修改", "changed since"),
    "redeemed_since": ("之后有核销", "has written vouchers off"),
    "priced_since": ("之后有协议价", "has contract prices"),
    "has_terminals": ("已有终端", "has terminals"),
    "has_staff": ("已有账号", "has accounts"),
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
    "imported": ("已导入。", "Imported."),
}
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
