"""Words of write-offs. Pure."""

# Of a write-off: tone of its badge, Chinese, English.
STATES = {
    "redeemed": ("good", "已核销", "written off"),
    "reversed": ("bad", "已冲正", "reversed"),
}
STATE_CHOICES = (
    ("", "全部", "All"),
    ("redeemed", "已核销", "Written off"),
    ("reversed", "已冲正", "Reversed"),
)
SOURCES = {
    "online": ("", "联机", "online"),
    "batch": ("assumed", "离线补传", "offline"),
    "manual": ("paused", "人工核销", "by id number"),
}
SOURCE_CHOICES = (
    ("", "全部", "All"),
    ("online", "联机", "Online"),
    ("batch", "离线补传", "Offline"),
    ("manual", "人工核销", "By id number"),
)
SETTLEMENT_STATES = {
    "draft": ("assumed", "待确认", "to be confirmed"),
    "confirmed": ("", "已确认", "confirmed"),
    "paid": ("good", "已支付", "paid"),
}
DONE = {
    "proposed": (
        "已提交，须由另一位工作人员在“变更审批”中批准后生效。",
        "Proposed. It comes into force when another person approves it under Changes.",
    ),
}
EXPORT_HEADER = (
    "核销时间",
    "机构",
    "终端",
    "操作员",
    "券种",
    "请求号",
    "账单金额（元）",
    "抵扣金额（元）",
    "方式",
    "状态",
    "结算单",
)
EXPORT_WIDTHS = (18, 36, 20, 12, 24, 28, 16, 16, 12, 10, 38)
