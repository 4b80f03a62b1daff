"""Words of risk cases and of the institutions' ranking. Pure."""

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
