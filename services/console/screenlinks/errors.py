from shared.errors import Refusal


class ScreenLinkUnknown(Refusal):
    code = "screen_link_unknown"
    status = 401
    zh = "大屏链接无效，请向管理人员索取新的链接。"
    en = "This is not a link of the big screen; please ask the staff for a new one."


class ScreenLinkExpired(Refusal):
    code = "screen_link_expired"
    status = 401
    zh = "大屏链接已过期，请向管理人员索取新的链接。"
    en = "This link of the big screen has expired; please ask the staff for a new one."


class ScreenLinkRevoked(Refusal):
    code = "screen_link_revoked"
    status = 401
    zh = "大屏链接已撤销，请向管理人员索取新的链接。"
    en = "This link of the big screen was revoked; please ask the staff for a new one."


class ScreenLinkRevokedAlready(Refusal):
    code = "screen_link_revoked_already"
    zh = "该大屏链接此前已撤销。"
    en = "This link of the big screen was revoked before."
