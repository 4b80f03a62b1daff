"""What a signal of the risk cases saw, in words: on paper and on the pages alike. Pure."""

from collections.abc import Mapping

# What was seen: Chinese, English, and whether it is a share.
REASONS: Mapping[str, tuple[str, str, bool]] = {
    "hourly_over_declared": (
        "一小时核销笔数超过申报的服务能力",
        "write-offs in an hour, above what it declared",
        False,
    ),
    "hourly_over_usual": ("一小时核销笔数远超平时", "write-offs in an hour, far above what is usual", False),
    "share_within_minutes_of_issue": (
        "领取后十分钟内核销的占比",
        "written off within ten minutes of issue",
        True,
    ),
    "share_while_shut": ("非营业时间核销的占比", "written off while it is shut", True),
    "share_of_bills_at_face_value": ("账单恰为面值的占比", "bills of exactly the face value", True),
    "share_of_identical_bills": ("账单金额雷同的占比", "bills of one and the same amount", True),
    "share_of_regulars": ("两周内三次及以上持券人的占比", "holders who came three times in two weeks", True),
    "holders_who_come_together": (
        "总在同一天来的持券人数",
        "holders who always come on the same days",
        False,
    ),
    "holders_who_claimed_there": (
        "同一设备或网络地址领取的持券人数",
        "holders who claimed from one device or address",
        False,
    ),
    "share_used_here": (
        "在该处领取并已核销的券中用于本机构的占比",
        "of what was claimed there and used, used here",
        True,
    ),
    "share_manual": ("人工核销的占比", "written off by id number", True),
    "share_reversed": ("冲正的占比", "reversed", True),
    "reversed_and_redeemed_again": ("冲正后再次核销的笔数", "reversed and written off again", False),
    "day_over_its_past": ("当日核销笔数", "write-offs of the day", False),
}
