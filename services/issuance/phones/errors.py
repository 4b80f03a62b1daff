from shared.errors import Refusal


class PhoneCodeInvalid(Refusal):
    """One refusal for a wrong, a late, a used up and a missing code: it tells nothing about any phone."""

    code = "phone_code_invalid"
    zh = "验证码不正确或已失效，请重新获取。"
    en = "The code is wrong or no longer valid. Please ask for a new one."
