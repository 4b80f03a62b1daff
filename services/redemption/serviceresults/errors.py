from shared.errors import Refusal


class ReportsNoResult(Refusal):
    code = "reports_no_result"
    zh = "该券种不需要上报服务结果。"
    en = "This kind of voucher reports no service result."


class RedemptionReversed(Refusal):
    code = "redemption_reversed"
    zh = "该笔核销已冲正，不能上报服务结果。"
    en = "This write-off was reversed; no service result can be reported for it."


class ResultAlreadyReported(Refusal):
    code = "result_already_reported"
    zh = "该笔核销的服务结果已上报。"
    en = "A service result was reported for this write-off already."
