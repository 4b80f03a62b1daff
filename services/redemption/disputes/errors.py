from shared.errors import Refusal


class NotDisputed(Refusal):
    code = "not_disputed"
    zh = "该结算单没有待处理的异议。"
    en = "This settlement has no dispute that waits for an answer."


class NotInSettlement(Refusal):
    code = "not_in_settlement"
    zh = "所列核销不全在该结算单中。"
    en = "Not all of these write-offs are in this settlement."
