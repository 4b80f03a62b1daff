from shared.errors import Fault, Refusal, TooManyRequests


class BadCredentials(Refusal):
    """One answer for an unknown name, a wrong password and a disabled account: names cannot be found out."""

    code = "bad_credentials"
    status = 401
    zh = "用户名或密码不正确。"
    en = "The user name or the password is wrong."


class SignInLocked(TooManyRequests):
    code = "too_many_requests"
    zh = "登录失败次数过多，请稍后再试。"
    en = "Too many failed attempts to sign in; please wait and try again."


class UsernameTaken(Refusal):
    code = "username_taken"
    zh = "该用户名已被使用，请换一个。"
    en = "This user name is taken; please choose another one."


class WeakPassword(Refusal):
    code = "weak_password"
    status = 422
    zh = "密码强度不足，请按提示修改。"
    en = "The password is too weak; `errors` says why."

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(faults=faults)


class OwnAccount(Refusal):
    code = "own_account"
    zh = "不能停用自己的账号，请由另一位管理员操作。"
    en = "Nobody can disable their own account; another administrator has to do it."


class AlreadyDisabled(Refusal):
    code = "already_disabled"
    zh = "该账号已停用。"
    en = "This account is disabled already."


class NoAdministrator(Refusal):
    code = "not_ready"
    status = 503
    zh = "尚无管理员账号：请设置 HV_ADMIN_USERNAME 和 HV_ADMIN_PASSWORD 后重新启动。"
    en = "There is no administrator: set HV_ADMIN_USERNAME and HV_ADMIN_PASSWORD and start again."


class SignInNotLocked(Refusal):
    code = "sign_in_not_locked"
    zh = "该账号的登录没有锁定。"
    en = "Signing in with this account is not locked."
