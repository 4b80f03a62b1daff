"""Words of the review queue, and its rows in a workbook. Pure."""

from collections.abc import Mapping
from typing import Any

from shared.documents.papers import Cell

VIEWS = (
    ("mine", "我领取的", "In my hands"),
    ("free", "待领取", "Free"),
    ("any", "全部待审核", "All that wait"),
    ("accepted", "已通过", "Accepted"),
    ("rejected", "未通过", "Rejected"),
)
CHANNELS = (
    ("", "全部", "All"),
    ("share", "转发", "Share"),
    ("lead", "线索", "Lead"),
    ("event", "线下活动", "Event"),
    ("fitness", "全民健身", "Fitness"),
)
CHANNEL_NAMES = {value: (zh, en) for value, zh, en in CHANNELS}
STATES = {
    "pending": ("assumed", "待审核", "waiting"),
    "accepted": ("good", "已通过", "accepted"),
    "rejected": ("bad", "未通过", "rejected"),
}
# Of what was sent: photos stand beside it, ids are nobody's business.
_UNSAID = frozenset({"photos", "event_id"})
# What a citizen sent, for people; a key that is not here is shown as it is.
EVIDENCE = {
    "category": ("类别", "Category"),
    "place": ("地点", "Place"),
    "description": ("描述", "Description"),
    "text": ("评论", "Text"),
    "url": ("链接", "Link"),
    "kind": ("方式", "Kind"),
    "name": ("活动", "Event"),
    "event": ("活动", "Event"),
    "occurred_at": ("时间", "When"),
}
SHARE_KINDS = {
    "forwarded": ("转发", "forwarded"),
    "followed": ("关注", "followed"),
    "registered": ("注册", "registered"),
}
HEADER = (
    "提交时间",
    "方式",
    "状态",
    "活动",
    "提交人",
    "内容",
    "照片",
    "疑似重复",
    "处理时间",
    "审核意见",
    "发放机会",
)
WIDTHS = (18, 12, 10, 32, 12, 70, 8, 10, 18, 40, 10)
HINTS = {
    "same_subject": ("同一事由", "the same matter"),
    "near_text": ("文字相近", "a similar text"),
    "same_photo": ("照片相同", "the same photo"),
    "near_photo": ("照片相近", "a similar photo"),
}


def query_of(view: str) -> dict[str, str]:
    """What the call is asked for."""
    if view in {"accepted", "rejected"}:
        return {"status": view}
    return {"status": "pending", "claim": view}


def said(evidence: Mapping[str, Any]) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """What was sent, each part with its name; in both languages."""
    return [
        (EVIDENCE.get(key, (key, key)), _words(key, str(value)))
        for key, value in evidence.items()
        if key not in _UNSAID and value not in (None, "")
    ]


def _words(key: str, value: str) -> tuple[str, str]:
    if key == "occurred_at":
        return (_moment(value),) * 2
    return SHARE_KINDS.get(value, (value, value)) if key == "kind" else (value, value)


def row(item: Mapping[str, Any], titles: Mapping[str, str]) -> list[Cell]:
    decision = item["decision"] or {}
    return [
        _moment(item["submitted_at"]),
        CHANNEL_NAMES[item["channel"]][0],
        STATES[item["status"]][1],
        titles.get(item["campaign"], item["campaign"]),
        item["person"]["name_masked"] or "未实名",
        "；".join(f"{name[0]}：{value[0]}" for name, value in said(item["evidence"])),
        len(item["photos"]),
        len(item["duplicate_hints"]),
        _moment(decision.get("decided_at") or ""),
        decision.get("note") or "",
        item["chances_granted"],
    ]


def _moment(written: str) -> str:
    return written[:16].replace("T", " ")
