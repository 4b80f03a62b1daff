"""What the health of the system is judged by, and what to do about it, in words. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.console.jobpages.rules import QueueLine

Words = tuple[str, str]
Tone = Literal["good", "paused", "bad"]

# Above this the machine's clock and the database's disagree so that limits of days and ends are not safe.
SKEW_SECONDS_MAX = 1.0
# Workers tell every five seconds that they are there: twelve times without a word is no pause.
WORKER_SILENT_SECONDS = 60
# A row that is due is taken within seconds; minutes are a backlog, a quarter of an hour a stop.
OVERDUE_SECONDS, STOPPED_SECONDS = 120, 900
# The report is made anew every hour; two hours without one is no delay.
INTEGRITY_OLD_SECONDS = 7200
# Below a tenth a disk fills within days, below a twentieth Postgres may stop any hour.
DISK_LOW, DISK_FULL = 0.10, 0.05
NAMES: Mapping[str, Words] = {
    "issuance": ("发放服务", "issuance"),
    "redemption": ("核销服务", "redemption"),
    "quota": ("发卡任务服务", "quota"),
    "console": ("管理台服务", "console"),
}
_NOTHING: Words = ("无需处理", "nothing to do")
_RESTART: Words = (
    "请运维人员查看该服务的日志并重启；期间其他服务不受影响",
    "have the operators read its log and restart it; the other services go on",
)
_WORKER: Words = (
    "后台任务停了：请运维人员重启工作进程，积压会自动处理",
    "background work stands still: restart the workers, what waits is then done",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `told` is its state, `advice` what to do about it."""

    name: Words
    tone: Tone
    told: Words
    advice: Words = _NOTHING


@dataclass(frozen=True, slots=True)
class Readiness:
    """`why` is the service's own sentence when it is not ready."""

    service: str
    ready: bool
    why: str


@dataclass(frozen=True, slots=True)
class Clocks:
    machine: datetime
    database: datetime
    platform: datetime

    @property
    def skew_seconds(self) -> float:
        return round((self.machine - self.database).total_seconds(), 3)

    @property
    def agree(self) -> bool:
        return abs(self.skew_seconds) <= SKEW_SECONDS_MAX


@dataclass(frozen=True, slots=True)
class Disk:
    """Of the disk that holds the objects (photos, uploads); in bytes."""

    free: int
    total: int

    @property
    def share_free(self) -> float:
        return self.free / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class LastIntegrity:
    ok: bool
    age_seconds: int


def of_service(one: Readiness) -> Finding:
    if one.ready:
        return Finding(NAMES[one.service], "good", ("就绪", "ready"))
    return Finding(NAMES[one.service], "bad", (f"未就绪：{one.why}", f"not ready: {one.why}"), _RESTART)


def of_worker(line: QueueLine) -> Finding:
    zh, en = NAMES[line.queue]
    name = (f"{zh}的工作进程", f"workers of {en}")
    seen = line.worker_seen_seconds
    if seen is None:
        return Finding(name, "bad", ("从未见过", "never seen"), _WORKER)
    tone: Tone = "good" if seen <= WORKER_SILENT_SECONDS else "bad"
    told = (f"{seen} 秒前有心跳", f"seen {seen} s ago")
    return Finding(name, tone, told, _NOTHING if tone == "good" else _WORKER)


def of_queue(lines: Sequence[QueueLine]) -> Finding:
    oldest = max((line.overdue_seconds or 0 for line in lines), default=0)
    name = ("待办事项积压", "what waits to be done")
    told = (f"最久的到期事项已等待 {oldest} 秒", f"the longest has waited {oldest} s")
    if oldest < OVERDUE_SECONDS:
        return Finding(name, "good", told)
    tone: Tone = "paused" if oldest < STOPPED_SECONDS else "bad"
    return Finding(name, tone, told, _WORKER)


def of_letters(dead: int) -> Finding:
    name = ("死信", "dead letters")
    if not dead:
        return Finding(name, "good", ("没有", "none"))
    advice = ("请到任务中心逐条重试或搁置", "try each again in the job centre, or put it aside")
    return Finding(name, "bad", (f"{dead} 项", f"{dead} of them"), advice)


def of_schema(revision: str | None, needed: str) -> Finding:
    name = ("表结构版本", "schema")
    if revision == needed:
        return Finding(name, "good", (f"{revision}，与程序一致", f"{revision}, as this version needs"))
    told = (f"{revision}，程序需要 {needed}", f"{revision}, needed: {needed}")
    return Finding(name, "bad", told, ("请运维人员运行 hv migrate", "have the operators run `hv migrate`"))


def of_redis(version: str | None) -> Finding:
    if version is None:
        advice = (
            "数据不受影响，但后台任务和限流暂停：请运维人员重启 Redis",
            "no data is lost, background work and rate limits stand still: restart Redis",
        )
        return Finding(("Redis", "Redis"), "bad", ("没有应答", "does not answer"), advice)
    return Finding(("Redis", "Redis"), "good", (f"{version}，应答", f"{version}, answers"))


def of_integrity(last: LastIntegrity | None) -> Finding:
    name = ("最近一次完整性核验", "last integrity check")
    if last is None:
        advice = ("等待首次核验，或打开完整性核验页立即核验", "wait for the first, or open its page")
        return Finding(name, "paused", ("尚未核验", "none yet"), advice)
    minutes = last.age_seconds // 60
    when = (f"{minutes} 分钟前", f"{minutes} min ago")
    if not last.ok:
        advice = ("请打开完整性核验页，按说明处理", "open its page and do as it says")
        return Finding(name, "bad", (f"{when[0]}，发现不一致", f"{when[1]}, does not hold"), advice)
    tone: Tone = "good" if last.age_seconds <= INTEGRITY_OLD_SECONDS else "paused"
    return Finding(
        name,
        tone,
        (f"{when[0]}，全部一致", f"{when[1]}, all hold"),
        _NOTHING if tone == "good" else _WORKER,
    )


def of_disk(disk: Disk | None) -> Finding:
    name = ("文件盘剩余空间", "room on the disk of files")
    if disk is None:
        advice = ("文件不在本机，请在存储服务处查看", "files are kept elsewhere: look there")
        return Finding(name, "good", ("不在本机", "not on this machine"), advice)
    percent, gib = round(disk.share_free * 100), disk.free // 2**30
    told = (f"剩 {gib} GB（{percent}%）", f"{gib} GB left ({percent}%)")
    if disk.share_free >= DISK_LOW:
        return Finding(name, "good", told)
    tone: Tone = "paused" if disk.share_free >= DISK_FULL else "bad"
    return Finding(name, tone, told, ("请运维人员尽快扩容或清理", "have the operators make room soon"))


def of_clocks(clocks: Clocks) -> Finding:
    name = ("服务器与数据库时钟", "clocks of machine and database")
    told = (f"相差 {clocks.skew_seconds} 秒", f"{clocks.skew_seconds} s apart")
    if clocks.agree:
        return Finding(name, "good", (f"{told[0]}，一致", f"{told[1]}, agree"))
    advice = ("相差过大，请运维人员校时：到期和每日限额以时间为准", "too far apart: set the clocks")
    return Finding(name, "bad", told, advice)


def worst(findings: Sequence[Finding]) -> Tone:
    tones = {finding.tone for finding in findings}
    return "bad" if "bad" in tones else "paused" if "paused" in tones else "good"
