from shared.errors import Refusal


class AlreadyConfirmed(Refusal):
    code = "already_confirmed"
    zh = "该结算单已确认。"
    en = "This settlement was confirmed already."


class AlreadyPaid(Refusal):
    code = "already_paid"
    zh = "该结算单已支付。"
    en = "This settlement was paid already."
