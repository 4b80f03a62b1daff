"""What background work is called, and what its failures mean, in words. Pure.

A test holds the names together with the kinds and the periodic work of the services.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared.jobs.kinds import Kind

Words = tuple[str, str]

# Services whose awaited jobs are listed.
SERVICES: Mapping[str, Words] = {
    "issuance": ("发放", "issuance"),
    "redemption": ("核销", "redemption"),
    "quota": ("发卡任务", "card programmes"),
    "console": ("管理台", "console"),
}
STATES: Mapping[str, tuple[str, str, str]] = {
    "queued": ("排队", "queued", "paused"),
    "running": ("进行中", "running", ""),
    "succeeded": ("完成", "done", "good"),
    "failed": ("失败", "failed", "bad"),
}
KINDS: Mapping[str, Words] = {
    Kind.VOUCHER_ISSUED: ("领券通知", "Notice of a voucher"),
    Kind.VOUCHER_REDEEMED: ("核销通知", "Notice of a write-off"),
    Kind.VOUCHER_RESTORED: ("退回消费券通知", "Notice of a voucher given back"),
    Kind.VOUCHER_REVOKED: ("作废消费券通知", "Notice of a revoked voucher"),
    Kind.ACTIVITY_DECIDED: ("审核结果通知", "Notice of a review"),
    Kind.PHONE_CODE_ASKED: ("发送手机验证码", "Code to a phone"),
    Kind.NOTICE_DUE: ("发送通知", "Carry a notice"),
    Kind.SHARE_SUBMITTED: ("核验转发分享", "Verify a share"),
    Kind.PHOTO_DROPPED: ("删除已撤下的照片", "Forget a dropped photo"),
    Kind.QUESTIONS_UPLOADED: ("导入题库", "Import of questions"),
    Kind.EXCLUSIONS_UPLOADED: ("导入限制名单", "Import of a list of persons"),
    Kind.STATISTICS_WANTED: ("统计题目", "Statistics of questions"),
    Kind.REDEMPTION_COUNTED: ("统计核销", "Count a write-off"),
    Kind.REVERSAL_COUNTED: ("统计冲正", "Count a reversal"),
    Kind.SERVICE_RESULT_DUE: ("服务结果回传", "Carry a service result"),
    Kind.RISK_DAY_DEFERRED: ("核算风险日", "Judge a day"),
    Kind.SETTLEMENT_REQUESTED: ("生成结算", "Make settlements"),
    Kind.CARD_EVENTS_UPLOADED: ("导入发卡记录", "Import of card events"),
    Kind.INTEGRITY_WANTED: ("完整性核验", "Integrity check"),
}
PERIODICS: Mapping[str, Words] = {
    "console.keep_integrity_fresh": ("定时完整性核验", "regular integrity check"),
    "console.tidy_up": ("清理过期登录", "tidying of sessions"),
    "core.fold_tallies": ("汇总统计数", "folding of figures"),
    "issuance.drop_unused_photos": ("清理未使用的照片", "dropping of unused photos"),
    "issuance.expire_awards": ("中奖到期", "expiry of awards"),
    "issuance.expire_vouchers": ("消费券到期", "expiry of vouchers"),
    "issuance.forget_due": ("到期删除个人信息", "forgetting of persons"),
    "issuance.forget_exclusion_uploads": ("清理名单文件", "forgetting of lists"),
    "issuance.forget_openings": ("清理打开记录", "forgetting of openings"),
    "issuance.forget_origins": ("清理来源记录", "forgetting of origins"),
    "issuance.forget_phone_codes": ("清理手机验证码", "forgetting of codes"),
    "issuance.forget_question_uploads": ("清理题库文件", "forgetting of question files"),
    "issuance.forget_sightings": ("清理设备记录", "forgetting of sightings"),
    "issuance.keep_funnels": ("更新转化统计", "funnels"),
    "issuance.publish_draws": ("公布抽奖根哈希", "publication of draws"),
    "issuance.refresh_statistics": ("更新题目统计", "statistics of questions"),
    "issuance.remind": ("到期提醒", "reminders"),
    "issuance.resume_notices": ("恢复通知发送", "resuming of notices"),
    "quota.card_signals": ("发卡异常检测", "signals of cards"),
    "quota.forget_card_event_uploads": ("清理发卡文件", "forgetting of card files"),
    "quota.forget_nonces": ("清理请求随机数（发卡）", "forgetting of nonces (cards)"),
    "redemption.forget_manual_reasons": ("清理人工核销原因", "forgetting of reasons"),
    "redemption.forget_nonces": ("清理请求随机数（核销）", "forgetting of nonces (tills)"),
    "redemption.risk_signals": ("风险线索核算", "signals of risk"),
    "redemption.take_up_service_results": ("接续服务结果回传", "taking up of service results"),
}
# What the results of jobs are called.
RESULTS: Mapping[str, Words] = {
    "rows": ("总行数", "Rows"),
    "accepted": ("已导入", "Taken"),
    "rejected": ("有问题", "Faulty"),
    "duplicates": ("重复", "Repeated"),
    "updated": ("更新", "Updated"),
    "counted": ("计入发卡", "Counted"),
    "already_imported": ("以前导入过", "Imported before"),
    "dry_run": ("仅检查", "Only checked"),
    "as_of": ("数据时间", "As of"),
    "finished_at": ("完成时间", "Finished"),
    "seconds": ("用时（秒）", "Seconds"),
    "settlements": ("结算单数", "Settlements"),
    "campaign": ("活动", "Campaign"),
    "questions": ("题目数", "Questions"),
    "answers": ("作答数", "Answers"),
}
# By how an error is kept (its class, then its words): what it means and what to do.
_FAULTS: tuple[tuple[str, Words], ...] = (
    (
        r"Connect(Error|Timeout)|NoAnswer|ConnectionRefused",
        (
            "连不上对方系统，请检查网络和对方服务，恢复后重试。",
            "The other system cannot be reached: try again when it is back.",
        ),
    ),
    (
        r"(Read|Write|Pool)?Timeout",
        ("对方系统没有及时应答，可以重试。", "The other system did not answer in time: try again."),
    ),
    (
        r"HTTPStatusError|Refused|status 4|\b4\d\d\b",
        (
            "对方系统拒绝了请求，请核对接入配置后重试。",
            "The other system refused: check the connection’s settings, then try again.",
        ),
    ),
    (
        r"OperationalError|InterfaceError|DBAPIError|Redis",
        ("数据库或队列曾经中断，恢复后重试即可。", "Database or queue was away: try again."),
    ),
)
_UNKNOWN = (
    "程序处理出错，请先重试；仍失败时把编号告诉运维人员。",
    "The program failed: try again, and tell the operators its id if it fails once more.",
)  # fmt: skip
_NO_ERROR = ("没有留下错误信息，可以重试。", "No error was kept: try again.")


@dataclass(frozen=True, slots=True)
class QueueLine:
    """Seconds by the machine's clock; None where nothing waits, or no worker was ever seen."""

    queue: str
    overdue_seconds: int | None
    worker_seen_seconds: int | None
    dead: int


def kind_words(kind: str) -> Words:
    """A kind of another version stands for itself."""
    return KINDS.get(kind, (kind, kind))


def failure_words(error: str | None) -> Words:
    """What an error that was kept means for whoever decides about it."""
    if not error:
        return _NO_ERROR
    head = error[:120]
    return next((words for pattern, words in _FAULTS if re.search(pattern, head)), _UNKNOWN)


def result_lines(result: Mapping[str, object] | None) -> list[tuple[Words, Words]]:
    """What a job's result says in figures and words; lists and tables are shown elsewhere."""
    lines: list[tuple[Words, Words]] = []
    for name, value in (result or {}).items():
        if isinstance(value, bool):
            lines.append((RESULTS.get(name, (name, name)), ("是", "yes") if value else ("否", "no")))
        elif isinstance(value, (int, float, str)):
            lines.append((RESULTS.get(name, (name, name)), (str(value), str(value))))
    return lines
