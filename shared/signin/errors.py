from shared.errors import Refusal


class SignInCodeInvalid(Refusal):
    code = "sign_in_code_invalid"
    status = 401
    zh = "登录凭证无效或已过期，请返回重新登录。"
    en = "The sign-in code is not valid or was used before; please sign in again."


class SignInRefused(Refusal):
    code = "sign_in_refused"
    status = 403
    zh = "平台判定该账号存在风险，暂时不能登录。"
    en = "The sign-in platform refuses this account as high-risk for now."


class ProviderUnavailable(Refusal):
    code = "provider_unavailable"
    status = 403
    zh = "本平台未开通这种登录方式。"
    en = "This way of signing in is not open on this platform."
