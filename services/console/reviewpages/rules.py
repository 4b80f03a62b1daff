"""Words of the review queue. Pure."""

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
# What a citizen sent, for people; a key that is not here is shown as it is.
EVIDENCE = {
    "category": ("类别", "Category"),
    "place": ("地点", "Place"),
    "description": ("描述", "Description"),
    "text": ("评论", "Text"),
    "url": ("链接", "Link"),
    "kind": ("方式", "Kind"),
    "name": ("活动", "Event"),
    "occurred_at": ("时间", "When"),
}
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
