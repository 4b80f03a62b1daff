from shared.errors import Refusal


class NotSettled(Refusal):
    code = "not_settled"
    zh = "该笔核销尚未结算，可直接在终端冲正。"
    en = "This write-off was not settled yet; a till can simply reverse it."


class AlreadyCorrected(Refusal):
    code = "already_corrected"
    zh = "该笔核销已更正。"
    en = "This write-off was corrected already."
