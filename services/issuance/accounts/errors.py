from shared.errors import Refusal


class IdentityInUse(Refusal):
    code = "identity_in_use"
    zh = "该身份证号码已绑定其他账号，每人只能使用一个账号参与。"
    en = "Another account holds this identity; everybody takes part with one account only."


class IdentityAlreadyBound(Refusal):
    code = "identity_already_bound"
    zh = "当前账号已绑定其他身份信息，不能更改。"
    en = "This account is bound to another person already and cannot be changed."
