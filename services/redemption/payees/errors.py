from shared.errors import Refusal


class SamePayeeAccount(Refusal):
    code = "same_payee_account"
    zh = "与现行收款账户相同，无需变更。"
    en = "This is the payee account that is in force already."


class PayeeAccountMissing(Refusal):
    code = "payee_account_missing"
    zh = "该机构尚未登记收款账户，不能支付。"
    en = "This institution has no payee account yet; it cannot be paid."


class PayeeAccountChanged(Refusal):
    code = "payee_account_changed"
    zh = "收款账户在提交支付后已变更，请重新提交支付。"
    en = "The payee account changed after this payment was proposed; propose it again."
