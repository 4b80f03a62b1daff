from shared.errors import Refusal


class SecondFactorRequired(Refusal):
    """The password was right: the sign-in is sent again with a code."""

    code = "second_factor_required"
    status = 401
    zh = "该账号已启用两步验证，请填写动态验证码或恢复码。"
    en = "This account has a second factor; please add its code or a recovery code."


class SecondFactorWrong(Refusal):
    """Wrong, too old, or used before."""

    code = "second_factor_wrong"
    status = 401
    zh = "动态验证码不正确或已使用过，请等待下一个验证码后重试。"
    en = "The code is wrong or was used before; please wait for the next one and try again."


class SecondFactorEnabled(Refusal):
    code = "second_factor_enabled"
    zh = "两步验证已启用；如需更换设备，请先停用。"
    en = "The second factor is on already; to change the device, turn it off first."


class SecondFactorNotEnabled(Refusal):
    code = "second_factor_not_enabled"
    zh = "该账号没有启用两步验证。"
    en = "This account has no second factor."


class EnrolmentNotBegun(Refusal):
    code = "enrolment_not_begun"
    zh = "请先扫描二维码开始设置，再填写动态验证码。"
    en = "Begin with the QR code first, then confirm with a code."
