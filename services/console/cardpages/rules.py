"""Words of cards, their traces and appeals, and their lists on paper. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.documents.papers import Cell

Words = tuple[str, str]

EVENT_KINDS: Mapping[str, Words] = {
    "issued": ("发卡", "issued"),
    "used": ("用卡", "used"),
    "cancelled": ("注销", "cancelled"),
    "landed": ("打开申领页", "landed"),
    "applied": ("提交申领", "applied"),
}
# Of an appeal: tone of its badge, Chinese, English.
APPEAL_STATES: Mapping[str, tuple[str, str, str]] = {
    "open": ("paused", "待答复", "waiting"),
    "upheld": ("good", "成立", "upheld"),
    "rejected": ("bad", "不成立", "rejected"),
}
APPEAL_CHOICES = (("", "全部", "all"), *((key, zh, en) for key, (_, zh, en) in APPEAL_STATES.items()))
ANSWERS = (("upheld", "成立", "upheld"), ("rejected", "不成立", "rejected"))
CARD_STATES: Mapping[str, Words] = {
    "none": ("没有卡", "no card"),
    "active": ("有效", "active"),
    "cancelled": ("已注销", "cancelled"),
}
# The trace tells why in Chinese; the same for those who read English.
WHY_EN: Mapping[str, str] = {
    "first_code": "The holder first applied through this hospital’s code: the card counts here.",
    "assigned": "It came without a known code and was assigned to this hospital by a change.",
    "no_code": "It came without a known code: it counts for nobody until two people assign it.",
    "card_cancelled": "The card was cancelled, and does not count from that month on.",
    "card_already_issued": "The holder had a card already: a person counts once, for the first code.",
    "card_open": "The holder had a card then; the event counts for its hospital.",
    "no_open_card": "The holder had no card then; the event counts as soon as its issue is told.",
    "on_the_way": "A landing or an application: it counts for the funnel of this hospital, and for no card.",
    "on_the_way_without_code": "A landing or an application without a known code: it counts for no funnel.",
}
UNATTRIBUTED_HEADER = ("事件编号", "发卡时间", "收到的场景值")
UNATTRIBUTED_WIDTHS = (40, 20, 30)
APPEALS_HEADER = ("提交时间", "医院", "事件编号", "理由", "状态", "答复", "答复时间")
APPEALS_WIDTHS = (18, 34, 30, 60, 10, 60, 18)


def unattributed_row(card: Mapping[str, Any]) -> Sequence[Cell]:
    return [card["event_id"], _when(card["issued_at"]), card["scene"] or ""]


def appeal_row(appeal: Mapping[str, Any]) -> Sequence[Cell]:
    return [
        _when(appeal["lodged_at"]),
        appeal["hospital"],
        appeal["event_id"],
        appeal["reason"],
        APPEAL_STATES[appeal["status"]][1],
        appeal["answer"] or "",
        _when(appeal["answered_at"]),
    ]


def _when(moment: str | None) -> str:
    return moment[:16].replace("T", " ") if moment else ""
