from shared.errors import Refusal


class ActivationCodeUnknown(Refusal):
    """One answer for every code that is unknown, used or expired: strangers learn nothing."""

    code = "activation_code_unknown"
    status = 404
    zh = "激活码不存在、已使用或已过期，请向工作人员索取新的激活码。"
    en = "This activation code is unknown, used or expired; please ask for a new one."


class ResumeBeforeReissue(Refusal):
    """A new key would end the pause."""

    code = "resume_before_reissue"
    zh = "该终端已暂停核销，请先恢复，再换发激活码。"
    en = "This terminal is paused; resume it before it gets a new activation code."
