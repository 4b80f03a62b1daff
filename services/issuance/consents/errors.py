from shared.errors import Refusal


class ConsentVersionUnknown(Refusal):
    """Only where texts were published; `errors[0].loc` names the field."""

    code = "consent_version_unknown"
    status = 422
    zh = "授权文本版本不存在或尚未生效，请刷新后阅读最新版本再同意。"
    en = "There is no such consent text, or it is not in effect yet; please reload and read the present one."


class ConsentVersionTaken(Refusal):
    code = "consent_version_taken"
    zh = "该版本的授权文本已发布，已发布的文本不能修改，请使用新的版本号。"
    en = "This version is published, and what is published does not change; please use another version."


class ConsentNotGiven(Refusal):
    code = "consent_not_given"
    zh = "您当前没有可撤回的授权同意。"
    en = "There is no consent in force that could be withdrawn."
