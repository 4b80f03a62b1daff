"""Which pages there are and who finds them in the menu; where a sign-in may lead. Pure.

The menu hides what a role cannot use; what it may do is decided by the page's route and by the services.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from shared.identity.staff import READERS, WRITERS, Role


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in the menu; `key` is what the page says of itself (`here`).

    `waits` names the figure of what waits there (`Waiting`), where there is one.
    """

    key: str
    path: str
    zh: str
    en: str
    roles: Sequence[Role]
    waits: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    zh: str
    en: str
    entries: Sequence[Entry]

    def holds(self, key: str) -> bool:
        return any(entry.key == key for entry in self.entries)


_HOSPITALS = (Role.HOSPITAL,)
_INSTITUTIONS = (Role.INSTITUTION,)

# One line for each page, in the order of the menu.
# A figure of what waits stands beside the three that wait for somebody.
MENU = (
    Group(
        "总览",
        "Overview",
        (
            Entry("overview", "/console", "总览", "Overview", READERS),
            Entry("screen-links", "/console/screen-links", "大屏链接", "Big screen links", READERS),
            Entry("changes", "/console/changes", "变更审批", "Changes", READERS, "changes"),
            Entry("imports", "/console/imports", "导入中心", "Imports", READERS),
            Entry("templates", "/console/templates", "文书模板", "Documents", READERS),
            Entry("integrity", "/console/integrity", "完整性核验", "Integrity", READERS),
        ),
    ),
    Group(
        "消费券",
        "Vouchers",
        (
            Entry("campaigns", "/console/campaigns", "活动", "Campaigns", READERS),
            Entry("stock", "/console/stock", "库存", "Stock", READERS),
            Entry("planner", "/console/planner", "中奖率测算", "Odds planner", READERS),
            Entry("questions", "/console/questions", "题库", "Question bank", READERS),
            Entry("vouchers", "/console/vouchers", "消费券查询", "Vouchers", READERS),
            Entry("reviews", "/console/reviews", "审核", "Reviews", READERS, "reviews"),
            Entry("question-statistics", "/console/questions/statistics", "题目统计", "Statistics", READERS),
        ),
    ),
    Group(
        "核销与结算",
        "Write-offs and settlement",
        (
            Entry("institutions", "/console/institutions", "服务机构", "Institutions", READERS),
            Entry("terminals", "/console/terminals", "终端", "Terminals", READERS),
            Entry("institution-import", "/console/institutions/import", "机构导入", "Import", WRITERS),
            Entry("write-offs", "/console/write-offs", "核销记录", "Write-offs", READERS),
            Entry("manual-write-offs", "/console/write-offs/manual", "人工核销", "By id number", READERS),
            Entry("conflicts", "/console/write-offs/conflicts", "离线冲突", "Offline conflicts", READERS),
            Entry("settlements", "/console/settlements", "结算", "Settlements", READERS),
            Entry("reconciliations", "/console/reconciliations", "对账", "Reconciliation", READERS),
            Entry("risk-cases", "/console/risk/cases", "风险线索", "Risk cases", READERS),
            Entry("failed-days", "/console/risk/failed-days", "计算失败的日期", "Failed days", READERS),
            Entry(
                "institution-rankings",
                "/console/institution-rankings",
                "机构排名",
                "Institutions’ ranking",
                READERS,
            ),
        ),
    ),
    Group(
        "发卡任务",
        "Card programmes",
        (
            Entry("progress", "/console/quota/progress", "任务进度", "Progress", READERS),
            Entry("programmes", "/console/quota/programmes", "任务概况", "Programmes", READERS),
            Entry("hospitals", "/console/quota/hospitals", "医院名单", "Hospitals", READERS),
            Entry("allocation", "/console/quota/allocation", "任务分配", "Allocation", READERS),
            Entry("rankings", "/console/quota/rankings", "排名与通报", "Ranking", READERS),
            Entry("cards", "/console/quota/cards", "未归属的卡", "Unattributed cards", READERS),
            Entry("stuffing", "/console/quota/stuffing", "刷卡线索", "Stuffing", READERS),
            Entry("appeals", "/console/quota/appeals", "医院申诉", "Appeals", READERS),
            Entry("codes", "/console/quota/codes", "二维码与海报", "Codes and posters", READERS),
            Entry("table-check", "/console/quota/table-check", "分配表核对", "Table check", READERS),
            Entry("working-days", "/console/quota/working-days", "工作日历", "Working days", READERS),
        ),
    ),
    Group(
        "本机构",
        "Our institution",
        (
            Entry("own-home", "/console/own", "首页", "Home", _INSTITUTIONS),
            Entry("own-institution", "/console/institutions/own", "机构与终端", "Terminals", _INSTITUTIONS),
            Entry("own-write-offs", "/console/write-offs", "核销记录", "Write-offs", _INSTITUTIONS),
            Entry("own-settlements", "/console/settlements", "结算", "Settlements", _INSTITUTIONS),
            Entry("own-reconciliations", "/console/reconciliations", "对账", "Reconciliation", _INSTITUTIONS),
        ),
    ),
    Group(
        "本院",
        "Our hospital",
        (
            Entry("hospital", "/console/hospital", "进度与二维码", "Progress and code", _HOSPITALS),
            Entry("sub-codes", "/console/hospital/sub-codes", "科室与人员码", "Sub-codes", _HOSPITALS),
            Entry("trace", "/console/hospital/trace", "归属查询", "Trace a card", _HOSPITALS),
        ),
    ),
    Group(
        "系统",
        "System",
        (
            Entry("staff", "/console/staff", "人员与权限", "Staff", READERS),
            Entry("audit", "/console/audit", "操作日志", "Audit log", READERS),
            Entry("jobs", "/console/jobs", "任务中心", "Job centre", READERS, "jobs"),
            Entry("health", "/console/health", "系统健康", "System health", READERS),
            Entry("account", "/console/account", "账号与安全", "Account", tuple(Role)),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Crumbs:
    """Where a page is that is not in the menu itself: its group, and the entry that it belongs to."""

    group: Group
    entry: Entry


def crumbs_of(menu: Sequence[Group], key: str, path: str) -> Crumbs | None:
    """None for the pages of the menu: the menu shows where they are."""
    found = (Crumbs(group, entry) for group in menu for entry in group.entries if entry.key == key)
    crumbs = next(found, None)
    return None if crumbs is None or crumbs.entry.path == path else crumbs


# Letters and strokes only: no other host, no other program, no query that another page made up.
_OWN_PATH = re.compile(r"/console(?:/[0-9A-Za-z_-]+)*")


def menu_for(roles: Collection[Role]) -> list[Group]:
    """The menu without what none of these roles can use."""
    shown = (
        Group(group.zh, group.en, [entry for entry in group.entries if set(entry.roles) & set(roles)])
        for group in MENU
    )
    return [group for group in shown if group.entries]


def own_path(sent: str) -> str:
    """Where to go after signing in: a page of the console, its first one for anything else."""
    return sent if _OWN_PATH.fullmatch(sent) else "/console"


# What to do next, behind a refusal's own sentence: by code where a status says too little.
_STEPS_BY_CODE = {
    "already_decided": ("请刷新页面查看处理结果。", "Reload the page to see what was decided."),
    "definition_unreadable": (
        "请对照模板修改文件后重新选择。",
        "Mend the file with the template beside you, and choose it again.",
    ),
    "same_person": (
        "请联系另一位有审批权限的工作人员；您也可以撤回这项变更。",
        "Ask another person who may approve; you can also withdraw the change.",
    ),
}
_STEPS = {
    401: (
        "请核对后重新登录；忘记密码或遗失手机时请联系系统管理员。",
        "Sign in again; an administrator helps.",
    ),
    403: ("如工作需要此权限，请联系系统管理员。", "If your work needs this, ask an administrator."),
    404: ("请核对编号，或回到列表中查找。", "Check the number, or look for it in the list."),
    409: (
        "请先查看最新情况，再决定是否重新提交。",
        "Look at how things stand now before you send it again.",
    ),
    413: ("请减小或拆分文件后重新选择。", "Choose a smaller file, or send it in parts."),
    422: ("请修改后重新提交；文件须重新选择。", "Mend it and send it again; files are to be chosen anew."),
    429: ("请稍候再试，无需反复提交。", "Wait a little before you try again."),
}
_STEP_OF_OURS = (
    "您的操作可能没有完成：请稍后返回原页面核对。如持续出现，请联系运维人员并提供请求编号。",
    "It may not have been done: go back in a moment and look. If it stays, tell the operators the id.",
)


def next_step(status: int, code: str) -> tuple[str, str]:
    """What the reader can do about a refusal, in Chinese and English."""
    return _STEPS_BY_CODE.get(code) or _STEPS.get(status, _STEP_OF_OURS)


# The framework's faults speak English and in limits of the API; ours are sentences already.
_FAULTS = {
    "missing": "未填写",
    "string_too_short": "未填写或太短",
    "string_too_long": "超过长度限制",
    "string_pattern_mismatch": "格式不正确",
    "too_short": "未填写或数量不足",
    "too_long": "数量过多",
    "greater_than": "超出允许范围",
    "greater_than_equal": "超出允许范围",
    "less_than": "超出允许范围",
    "less_than_equal": "超出允许范围",
    "decimal_max_digits": "位数过多",
    "decimal_max_places": "小数位数过多",
    "decimal_whole_digits": "超出允许范围",
    "extra_forbidden": "不应填写",
    "literal_error": "不是可选的值",
    "enum": "不是可选的值",
}
_FAULTS_BY_KIND = (
    ("int", "应为整数"),
    ("decimal", "应为数字"),
    ("float", "应为数字"),
    ("date", "应为有效的日期或时间"),
    ("time", "应为有效的时间"),
    ("uuid", "编号格式不正确"),
)
_FIELDS = {
    "accepts": "受理券种",
    "alliance": "医共体",
    "budget_fen": "预算",
    "category": "类别",
    "code": "券码",
    "credit_code": "统一社会信用代码",
    "day": "日期",
    "ends_at": "结束时间",
    "ends_on": "截止日期",
    "from": "起始日期",
    "label": "名称",
    "month": "月份",
    "name": "名称",
    "note": "说明",
    "odds": "中奖率",
    "password": "密码",
    "quantity": "数量",
    "reason": "原因",
    "roles": "角色",
    "slug": "代码",
    "starts_at": "开始时间",
    "stock": "库存",
    "to": "截止日期",
    "total": "总数",
    "username": "用户名",
}


def fault_words(fault: Mapping[str, str]) -> tuple[str, str]:
    """A fault of what was sent: which field, and what is wrong with it, in Chinese and English."""
    message, code = fault["message"], fault["code"]
    field = fault["loc"].rpartition(".")[2]
    if not message.isascii():
        return message, message
    known = _FAULTS.get(code) or next((zh for kind, zh in _FAULTS_BY_KIND if code.startswith(kind)), None)
    zh = f"{_FIELDS.get(field, field)}：{known}" if known else message
    return zh, f"{field}: {message}"
