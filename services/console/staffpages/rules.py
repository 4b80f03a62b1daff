"""Roles in words: what they are called, and what each may do. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.identity.staff import Role

ROLES: Mapping[str, tuple[str, str]] = {
    Role.ADMIN: ("管理员", "administrator"),
    Role.OPERATOR: ("业务经办", "operator"),
    Role.AUDITOR: ("审计", "auditor"),
    Role.INSTITUTION: ("服务机构", "institution"),
    Role.HOSPITAL: ("医院", "hospital"),
}
_ALL, _BUREAU = tuple(Role), (Role.ADMIN, Role.OPERATOR, Role.AUDITOR)
_WRITERS = (Role.ADMIN, Role.OPERATOR)


@dataclass(frozen=True, slots=True)
class Right:
    """Something that may be done, and by whom. The services decide; a test holds this table against them."""

    zh: str
    en: str
    roles: Sequence[Role]


RIGHTS = (
    Right(
        "查看两项工作的全部数据，导出列表",
        "See everything of both programmes, export lists",
        _BUREAU,
    ),
    Right(
        "查看操作日志、任务中心、系统健康、完整性核验",
        "See audit log, jobs, health and integrity",
        _BUREAU,
    ),
    Right(
        "提交变更（资金、中奖率、库存、限额、任务数）",
        "Propose changes (money, odds, stock, limits, quotas)",
        _WRITERS,
    ),
    Right(
        "审批他人提交的变更",
        "Approve what somebody else proposed",
        _WRITERS,
    ),
    Right(
        "审核参与材料，导入名单和题目，处理风险线索",
        "Review, import, decide risk cases",
        _WRITERS,
    ),
    Right(
        "查看个人信息原文（须填原因，逐次留痕）",
        "See personal data in clear (with a reason, on record)",
        _WRITERS,
    ),
    Right(
        "新建、停用账号，更改角色，解锁，结束他人登录",
        "Make and disable accounts, roles, unlock, end sessions",
        (Role.ADMIN,),
    ),
    Right(
        "搁置死信",
        "Put dead letters aside",
        (Role.ADMIN,),
    ),
    Right(
        "查看本机构的终端、核销、结算，确认结算或提出异议",
        "See and settle the own institution",
        (Role.INSTITUTION,),
    ),
    Right(
        "查看本院的任务数、进度、二维码，查询归属",
        "See the own hospital’s quota, progress and codes",
        (Role.HOSPITAL,),
    ),
    Right(
        "管理自己的密码、两步验证和登录",
        "Own password, second factor and sessions",
        _ALL,
    ),
)
# What a page says after an act, by the word in its address: Chinese, English.
DONE: Mapping[str, tuple[str, str]] = {
    "made": ("账号已创建。", "The account is made."),
    "disabled": ("账号已停用，其登录已全部结束。", "The account is disabled, its sessions are ended."),
    "roles": ("角色已更改，立即生效。", "The roles are changed and in force."),
    "unlocked": ("登录锁定已解除。", "Signing in is unlocked."),
    "one-ended": ("该登录已结束。", "That session is ended."),
    "ended": ("该账号的登录已全部结束。", "All sessions of the account are ended."),
    "reset": ("两步验证已重置。", "The second factor is reset."),
    "session": ("登录已结束。", "The session is ended."),
    "others": ("其他登录已全部结束。", "All other sessions are ended."),
    "off": ("两步验证已停用。", "The second factor is off."),
}

STAFF_HEADER = ("用户名", "角色", "服务机构", "医院", "创建", "状态", "两步验证", "在线登录数", "登录锁定")
STAFF_WIDTHS = (24, 24, 24, 24, 20, 10, 12, 12, 12)


def staff_row(person: Mapping[str, Any], place: int) -> tuple[str | int, ...]:
    """An account in the exported list; `place` is 0 for Chinese, 1 for English."""
    return (
        person["username"],
        "、".join(ROLES[role][place] for role in person["roles"]),
        person["institution_id"] or "",
        person["hospital_id"] or "",
        person["created_at"][:19].replace("T", " "),
        (("停用", "disabled") if person["disabled_at"] else ("在用", "in use"))[place],
        (("启用", "on") if person["second_factor"] else ("未启用", "off"))[place],
        person["sessions"],
        (("锁定", "locked") if person["locked_seconds"] else ("", ""))[place],
    )
