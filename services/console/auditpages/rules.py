"""What the audit log says in words: who did what to which object, before and after. Pure.

A test holds the names together with the actions that the code writes down.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.console.changewords.rules import FIELDS, KINDS

Words = tuple[str, str]

# Actions by the area that they belong to, in the order of the filter.
AREAS: Mapping[Words, Mapping[str, Words]] = {
    ("登录与账号", "Sign-in and accounts"): {
        "session.begin": ("登录", "Signed in"),
        "session.end": ("退出登录", "Signed out"),
        "session.end_others": ("结束本人其他登录", "Ended own other sessions"),
        "staff.create": ("新建账号", "Made an account"),
        "staff.change_roles": ("更改角色", "Changed roles"),
        "staff.disable": ("停用账号", "Disabled an account"),
        "staff.end_sessions": ("结束他人登录", "Ended somebody’s sessions"),
        "staff.unlock": ("解除登录锁定", "Unlocked the sign-in"),
        "staff.change_password": ("修改密码", "Changed the password"),
        "second_factor.enable": ("启用两步验证", "Turned the second factor on"),
        "second_factor.disable": ("停用两步验证", "Turned the second factor off"),
        "second_factor.reset": ("重置他人两步验证", "Reset somebody’s second factor"),
        "person.reveal": ("查看个人信息原文", "Saw a person’s data in clear"),
        "screen_link.make": ("生成大屏链接", "Made a link of the big screen"),
        "screen_link.revoke": ("撤销大屏链接", "Revoked a link of the big screen"),
        "clock.move": ("拨动演示时钟", "Moved the demonstration’s clock"),
    },
    ("活动与题库", "Campaigns and questions"): {
        "report_template.replace": ("更换工作情况报告模板", "Replaced the report’s template"),
        "report_words.replace": ("修改工作情况报告文字", "Changed the report’s words"),
        "campaign.pause": ("暂停活动", "Paused a campaign"),
        "campaign.resume": ("恢复活动", "Resumed a campaign"),
        "questions.add": ("新增题目", "Added questions"),
        "questions.import": ("导入题目", "Imported questions"),
        "question.edit": ("修改题目", "Edited a question"),
        "question.retire": ("停用题目", "Retired a question"),
        "question.reactivate": ("重新启用题目", "Brought a question back"),
        "activity.review": ("审核参与材料", "Reviewed an activity"),
        "event.create": ("新建线下活动", "Made an event"),
        "event.close": ("结束线下活动", "Closed an event"),
        "award_hold.decide": ("核实中奖", "Decided a held award"),
        "exclusion.add": ("列入限制名单", "Listed a person"),
        "exclusion.lift": ("移出限制名单", "Lifted a person’s entry"),
        "exclusions.import": ("导入限制名单", "Imported a list of persons"),
        "consent_text.publish": ("发布告知书", "Published a consent text"),
        "notice.retry": ("重发通知", "Sent a notice again"),
    },
    ("机构与核销", "Institutions and write-offs"): {
        "institution.create": ("新建服务机构", "Made an institution"),
        "institution.edit": ("修改服务机构", "Edited an institution"),
        "institution.import": ("导入服务机构", "Imported institutions"),
        "institution.import.undo": ("撤销机构导入", "Undid an import of institutions"),
        "institution.pause": ("暂停服务机构", "Paused an institution"),
        "institution.resume": ("恢复服务机构", "Resumed an institution"),
        "institution.close": ("关闭服务机构", "Closed an institution"),
        "institution.capacity": ("设定日接待量", "Set a day’s capacity"),
        "terminal.make": ("新增终端", "Made a terminal"),
        "terminal.reissue": ("重发终端激活码", "Reissued an activation code"),
        "terminal.activate": ("激活终端", "Activated a terminal"),
        "terminal.paused": ("暂停终端", "Paused a terminal"),
        "terminal.active": ("恢复终端", "Resumed a terminal"),
        "terminal.revoked": ("停用终端", "Revoked a terminal"),
        "terminal.unlock": ("解除终端锁定", "Unlocked a terminal"),
        "operator.add": ("新增收银员", "Added an operator"),
        "operator.assign": ("分配收银员", "Assigned an operator"),
        "operator.rename": ("更改收银员名称", "Renamed an operator"),
        "operator.end": ("停用收银员", "Ended an operator"),
        "operator.require": ("设定收银员要求", "Set whether operators are asked for"),
        "service_result.retry": ("重传服务结果", "Sent a service result again"),
        "risk.decide": ("处理风险线索", "Decided a risk case"),
        "risk.release": ("释放风险线索", "Released a risk case"),
        "risk.reopen": ("重新打开风险线索", "Reopened a risk case"),
        "risk.day_retry": ("重算风险日", "Judged a day again"),
    },
    ("结算与对账", "Settlement and reconciliation"): {
        "settlement.request": ("生成结算", "Asked for settlements"),
        "settlement.confirm": ("确认结算单", "Confirmed a settlement"),
        "settlement.dispute": ("提出结算异议", "Disputed a settlement"),
        "settlement.reject_dispute": ("驳回结算异议", "Rejected a dispute"),
        "settlement.hold": ("暂缓结算", "Held a settlement"),
        "settlement.release": ("解除暂缓", "Released a settlement"),
        "settlement.payment_file": ("导出付款文件", "Took a payment file"),
        "payee_account.reveal": ("查看收款账号原文", "Saw an account in clear"),
        "reconciliation.make": ("对账", "Reconciled a list"),
    },
    ("发卡任务", "Card programmes"): {
        "programme.create": ("新建发卡任务", "Made a programme"),
        "programme.hospitals.import": ("导入医院名单", "Imported hospitals"),
        "programme.basis.import": ("导入分配依据", "Imported a basis"),
        "hospital.create": ("新增医院", "Made a hospital"),
        "hospital_name.add": ("增加医院名称", "Added a hospital’s name"),
        "hospital_name.withdraw": ("撤回医院名称", "Withdrew a hospital’s name"),
        "hospital_levels.import": ("导入医院级别", "Imported levels"),
        "hospital_code.replace": ("更换医院二维码", "Replaced a hospital’s code"),
        "sub_code.create": ("新建科室或人员码", "Made a sub-code"),
        "sub_code.retire": ("停用科室或人员码", "Retired a sub-code"),
        "card_events.import": ("导入发卡记录", "Imported card events"),
        "card_appeal.lodge": ("提出归属申诉", "Lodged an appeal"),
        "card_appeal.answer": ("答复归属申诉", "Answered an appeal"),
        "stuffing.decide": ("处理刷卡线索", "Decided a case of stuffing"),
        "platform_key.create": ("新建卡平台密钥", "Made a key of the card platform"),
        "platform_key.revoke": ("停用卡平台密钥", "Revoked a key of the card platform"),
        "working_year.import": ("导入工作日历", "Imported working days"),
        "bulletin_template.replace": ("更换通报模板", "Replaced a notice’s template"),
        "bulletin_template.drop": ("恢复默认通报模板", "Went back to the shipped template"),
        "bulletin_words.replace": ("修改通报文字", "Changed a notice’s words"),
    },
    ("后台任务", "Background work"): {
        "dead_letter.retry": ("重试死信", "Tried a dead letter again"),
        "dead_letter.put_aside": ("搁置死信", "Put a dead letter aside"),
    },
}
# What becomes of a change: the last word of its action.
STEPS: Mapping[str, Words] = {
    "propose": ("提出：{}", "Proposed: {}"),
    "approve": ("批准：{}", "Approved: {}"),
    "reject": ("驳回：{}", "Rejected: {}"),
}
OBJECTS: Mapping[str, Words] = {
    "activity": ("参与材料", "activity"),
    "award": ("中奖", "award"),
    "campaign": ("活动", "campaign"),
    "card_appeal": ("归属申诉", "appeal"),
    "case": ("风险线索", "risk case"),
    "change": ("变更", "change"),
    "clock": ("演示时钟", "clock"),
    "consent_text": ("告知书", "consent text"),
    "event": ("线下活动", "event"),
    "hospital": ("医院", "hospital"),
    "institution": ("服务机构", "institution"),
    "outbox": ("后台事项", "background item"),
    "person": ("市民", "person"),
    "platform_key": ("卡平台密钥", "platform key"),
    "programme": ("发卡任务", "programme"),
    "question": ("题目", "question"),
    "reconciliation": ("对账", "reconciliation"),
    "redemption": ("核销", "write-off"),
    "screen_link": ("大屏链接", "link of the big screen"),
    "settlement": ("结算单", "settlement"),
    "staff": ("账号", "account"),
    "stuffing_case": ("刷卡线索", "case of stuffing"),
    "terminal": ("终端", "terminal"),
    "working_year": ("工作日历", "working days"),
}
# Where an object can be looked at, by its kind; its id follows.
LINKS: Mapping[str, str] = {
    "campaign": "/console/campaigns/",
    "case": "/console/risk/cases/",
    "institution": "/console/institutions/",
    "settlement": "/console/settlements/",
    "staff": "/console/staff/",
}
# What the entries say of their objects, beside the words of changes.
_FIELDS: Mapping[str, Words] = {
    "accepted": ("导入行数", "rows taken"),
    "added": ("新增", "added"),
    "already_imported": ("以前导入过", "imported before"),
    "attempts": ("次数", "attempts"),
    "disabled": ("停用", "disabled"),
    "duplicates": ("重复行数", "rows repeated"),
    "enabled": ("启用", "on"),
    "error": ("错误", "error"),
    "file_sha256": ("文件指纹", "the file’s digest"),
    "hospital_id": ("医院", "hospital"),
    "institution_id": ("服务机构", "institution"),
    "kind": ("种类", "kind"),
    "list": ("名单", "list"),
    "locked": ("登录锁定", "locked"),
    "payload": ("内容编号", "ids"),
    "reason": ("原因", "reason"),
    "rejected": ("有问题的行数", "faulty rows"),
    "roles": ("角色", "roles"),
    "rows": ("总行数", "rows"),
    "sessions_ended": ("结束的登录数", "sessions ended"),
    "state": ("状态", "state"),
    "status": ("状态", "status"),
    "updated": ("更新", "updated"),
    "username": ("用户名", "user name"),
    "version": ("版本", "version"),
}
_ACTIONS: Mapping[str, Words] = {action: words for area in AREAS.values() for action, words in area.items()}
_SYSTEM, _TERMINAL, _CITIZEN = ("系统", "the system"), ("终端", "terminal"), ("市民", "citizen")


def action_words(action: str) -> Words:
    """An action without a name stands for itself."""
    kind, _, step = action.rpartition(".")
    if step in STEPS and kind in KINDS and action not in _ACTIONS:
        zh, en = STEPS[step]
        return zh.format(KINDS[kind][0]), en.format(KINDS[kind][1])
    return _ACTIONS.get(action, (action, action))


def action_choices() -> list[tuple[Words, list[tuple[str, Words]]]]:
    """For the filter: areas with their actions, the changes last."""
    areas = [(area, list(actions.items())) for area, actions in AREAS.items()]
    changes = [(f"{kind}.{step}", action_words(f"{kind}.{step}")) for kind in KINDS for step in STEPS]
    return [*areas, (("变更", "Changes"), changes)]


def actor_words(actor: str, username: str | None) -> Words:
    if username is not None:
        return username, username
    kind, _, own = actor.partition(":")
    if kind == "terminal":
        return f"{_TERMINAL[0]} {own}", f"{_TERMINAL[1]} {own}"
    return {"system": _SYSTEM, "citizen": _CITIZEN}.get(kind, (actor, actor))


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of the log; `link` leads to its page, empty where there is none."""

    words: Words
    id: str
    link: str


def thing(sent: str) -> Thing:
    kind, _, own = sent.partition(":")
    link = f"{LINKS[kind]}{own}" if kind in LINKS and own else ""
    return Thing(OBJECTS.get(kind, (kind, kind)), own, link)


@dataclass(frozen=True, slots=True)
class Side:
    """One field of an entry; a side that had none is None."""

    name: str
    words: Words
    before: str | None
    after: str | None

    @property
    def differs(self) -> bool:
        return self.before != self.after


def sides(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Side]:
    """Every field that either side has, in the order in which they come."""
    old, new = before or {}, after or {}
    names = list(dict.fromkeys([*old, *new]))
    return [Side(name, _called(name), _told(old, name), _told(new, name)) for name in names]


def _called(name: str) -> Words:
    return _FIELDS.get(name) or FIELDS.get(name, (name, name))


def _told(values: Mapping[str, Any], name: str) -> str | None:
    if name not in values:
        return None
    value = values[name]
    if value is None or value == []:
        return "–"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "、".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
