"""Words for roles. Pure."""

from collections.abc import Mapping

from shared.identity.staff import Role

ROLES: Mapping[str, tuple[str, str]] = {
    Role.ADMIN: ("管理员", "administrator"),
    Role.OPERATOR: ("业务经办", "operator"),
    Role.AUDITOR: ("审计", "auditor"),
    Role.INSTITUTION: ("服务机构", "institution"),
    Role.HOSPITAL: ("医院", "hospital"),
}
# What a page says after an act, by the word in its address: Chinese, English.
DONE: Mapping[str, tuple[str, str]] = {
    "made": ("账号已创建。", "The account is made."),
    "disabled": ("账号已停用，其登录已全部结束。", "The account is disabled, its sessions are ended."),
    "roles": ("角色已更改，立即生效。", "The roles are changed and in force."),
    "ended": ("该账号的登录已全部结束。", "All sessions of the account are ended."),
    "reset": ("两步验证已重置。", "The second factor is reset."),
    "session": ("登录已结束。", "The session is ended."),
    "others": ("其他登录已全部结束。", "All other sessions are ended."),
    "off": ("两步验证已停用。", "The second factor is off."),
}
