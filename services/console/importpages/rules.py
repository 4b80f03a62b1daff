"""Every import that the platform has, in words: what it is for, its page, what its history says. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Words = tuple[str, str]
# What an import belongs to: chosen before the file.
Scope = Literal["campaign", "programme", "year"]


@dataclass(frozen=True, slots=True)
class Import:
    """`path` is the page of an import that has one of its own; the others are done on the centre's page.

    `actions` are its entries in the audit log, `jobs` the kinds of jobs that do its long files.
    """

    key: str
    area: Words
    name: Words
    purpose: Words
    path: str = ""
    actions: Sequence[str] = ()
    jobs: Sequence[str] = ()
    service: str = ""
    scope: Scope | None = None
    # Segments of the call behind the scope's own, and of its template.
    segments: Sequence[str] = ()
    # Of a file with personal data: said beside the form.
    sensitive: bool = False
    undo: bool = False


_VOUCHERS: Words = ("消费券", "Vouchers")
_SETTLING: Words = ("核销与结算", "Write-offs and settlement")
_CARDS: Words = ("发卡任务", "Card programmes")

IMPORTS: Sequence[Import] = (
    Import(
        "questions",
        _VOUCHERS,
        ("题库", "Questions"),
        ("成批增加某个活动的题目，查出重复和超长的题", "Adds questions to a campaign’s bank"),
        actions=("questions.import",),
        jobs=("issuance.questions_uploaded",),
        service="issuance",
        scope="campaign",
        segments=("questions",),
    ),
    Import(
        "exclusions",
        _VOUCHERS,
        ("限制参与名单", "Persons who may not take part"),
        (
            "列出不能参加活动的工作人员和受限人员，按身份证号识别，可注明到期日",
            "Lists staff and blocked persons by their id numbers",
        ),
        actions=("exclusions.import",),
        jobs=("issuance.exclusions_uploaded",),
        service="issuance",
        scope="campaign",
        segments=("exclusions",),
        sensitive=True,
    ),
    Import(
        "campaign",
        _VOUCHERS,
        ("活动方案", "A campaign’s definition"),
        ("用 YAML 或 JSON 文件提交新活动，逐处检查，由第二人批准", "Proposes a new campaign as a file"),
        path="/console/campaigns/new",
    ),
    Import(
        "institutions",
        _SETTLING,
        ("服务机构名录", "Institutions"),
        ("成批增加或更新某个活动的服务机构，可整批撤销", "Adds or updates a campaign’s institutions"),
        path="/console/institutions/import",
        actions=("institution.import", "institution.import.undo"),
        undo=True,
    ),
    Import(
        "reconciliations",
        _SETTLING,
        ("对账清单", "Reconciliation lists"),
        ("上传机构或付款方的明细，与平台核销逐笔核对", "Holds a list against our write-offs"),
        path="/console/reconciliations",
        actions=("reconciliation.make",),
    ),
    Import(
        "hospitals",
        _CARDS,
        ("医院名单", "Hospitals"),
        ("导入参加发卡的医院、医共体和诊疗人次", "Takes hospitals, alliances and visits"),
        path="/console/quota/hospitals/import",
        actions=("programme.hospitals.import",),
    ),
    Import(
        "basis",
        _CARDS,
        ("分配依据", "A basis of the allocation"),
        ("导入床位数、服务人口等分配依据，每家医院一个数", "Takes a figure for each hospital"),
        actions=("programme.basis.import",),
        service="quota",
        scope="programme",
        segments=("bases",),
    ),
    Import(
        "levels",
        _CARDS,
        ("医院级别", "Hospitals’ levels"),
        ("导入医院级别，排名时可按级别分开", "Takes the levels that rankings go by"),
        actions=("hospital_levels.import",),
        service="quota",
        scope="programme",
        segments=("hospital-levels",),
    ),
    Import(
        "card-events",
        _CARDS,
        ("发卡记录", "Card events"),
        ("补录卡平台的发卡、使用和注销记录，同一编号只计一次", "Counts events of the card platform"),
        actions=("card_events.import",),
        jobs=("quota.card_events_uploaded",),
        service="quota",
        scope="programme",
        segments=("card-events",),
    ),
    Import(
        "working-days",
        _CARDS,
        ("工作日历", "Working days"),
        ("按国务院放假通知导入一年的放假和调休，整年一次替换", "Takes a year’s days off and make-up days"),
        actions=("working_year.import",),
        service="quota",
        scope="year",
        segments=("working-days",),
    ),
    Import(
        "table-check",
        _CARDS,
        ("分配表核对", "Check of a published table"),
        ("上传已发布的分配表，指出加不起来的地方；不保存", "Names what does not add up; keeps nothing"),
        path="/console/quota/table-check",
    ),
)
_BY_KEY: Mapping[str, Import] = {one.key: one for one in IMPORTS}
_BY_ACTION: Mapping[str, Import] = {action: one for one in IMPORTS for action in one.actions}
_BY_JOB: Mapping[str, Import] = {kind: one for one in IMPORTS for kind in one.jobs}
ACTIONS = tuple(_BY_ACTION)
JOBS = tuple(_BY_JOB)
# The services whose long files are done by jobs.
JOB_SERVICES = tuple(dict.fromkeys(kind.partition(".")[0] for kind in JOBS))
# As the services call columns in their reports: what stands above them in a file.
_COLUMNS: Mapping[str, str] = {
    "alliance": "医共体",
    "hospital": "医院",
    "visits": "诊疗人次",
    "aliases": "别名",
    "value": "数值",
    "level": "级别",
    "event_id": "事件编号",
    "scene": "场景值",
    "holder_ref": "持卡人",
    "kind": "类型",
    "at": "时间",
    "device_ref": "设备",
    "day": "日期",
    "works": "类型",
    "label": "名称",
}


def in_words(faults: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Faults with their columns as a file calls them."""
    return [{**fault, "column": _COLUMNS.get(fault["column"], fault["column"])} for fault in faults]


def import_of(key: str) -> Import | None:
    return _BY_KEY.get(key)


@dataclass(frozen=True, slots=True)
class Batch:
    """A file that was imported, or that a job is at. Figures are None where the service keeps none."""

    what: Import
    at: str
    who: str | None
    file: str
    about: str
    rows: int | None
    taken: int | None
    faulty: int | None
    state: str
    progress: int
    job: tuple[str, str] | None = None
    has_faults: bool = False
    error: str | None = None


def batch_of_entry(entry: Mapping[str, Any]) -> Batch:
    """An entry of the audit log: what was taken in at once, or by a job that has ended."""
    told, undone = entry["after"] or {}, entry["action"].endswith(".undo")
    taken = told.get("accepted")
    if taken is None and "added" in told:
        taken = told["added"] + told.get("updated", 0)
    if taken is None and isinstance(told.get("levels"), dict):
        taken = len(told["levels"])
    if taken is None:
        taken = told.get("matched")
    return Batch(
        what=_BY_ACTION[entry["action"]],
        at=entry["at"],
        who=entry["username"],
        file=str(told.get("file_sha256", ""))[:12],
        about=entry["object"].partition(":")[2],
        rows=told.get("rows"),
        taken=None if undone else taken,
        faulty=told.get("rejected"),
        state="undone" if undone else "succeeded",
        progress=100,
    )


def batch_of_job(service: str, job: Mapping[str, Any]) -> Batch:
    result = job["result"] or {}
    return Batch(
        what=_BY_JOB[job["kind"]],
        at=job["created_at"],
        who=None,
        file="",
        about="",
        rows=result.get("rows"),
        taken=result.get("accepted"),
        faulty=result.get("rejected"),
        state=job["state"],
        progress=job["progress"],
        job=(service, job["id"]),
        has_faults=bool(result.get("errors")),
        error=job["error"],
    )


def newest(batches: Sequence[Batch], most: int) -> list[Batch]:
    return sorted(batches, key=lambda batch: batch.at, reverse=True)[:most]
