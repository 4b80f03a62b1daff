"""Which pages there are and who finds them in the menu; where a sign-in may lead. Pure.

The menu hides what a role cannot use; what it may do is decided by the page's route and by the services.
"""

import re
from collections.abc import Collection, Sequence
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
