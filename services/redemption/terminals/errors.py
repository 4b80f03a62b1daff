from shared.errors import Refusal


class ActivationCodeUnknown(Refusal):
    """One answer for every code that is unknown, used or expired: strangers learn nothing."""

    code = "activation_code_unknown"
    status = 404
    zh = "激活码不存在、已使用或已过期，请向工作人员索取新的激活码。"
    en = "This activation code is unknown, used or expired; please ask for a new one."


class TerminalNotActive(Refusal):
    code = "terminal_not_active"
    zh = "该终端尚未激活或已停用，不能进行此操作。"
    en = "This terminal is not activated yet, or was revoked."
