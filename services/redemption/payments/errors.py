from shared.errors import Refusal


class SettlementNotConfirmed(Refusal):
    code = "settlement_not_confirmed"
    zh = "该结算单尚未经机构确认，不能支付。"
    en = "This settlement was not confirmed by the institution yet; it cannot be paid."


class OriginalUnpaid(Refusal):
    code = "original_unpaid"
    zh = "该结算单中的更正对应的原结算单尚未支付，请先支付原结算单。"
    en = "This settlement takes back write-offs of one that was not paid yet; pay that one first."
