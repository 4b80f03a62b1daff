from shared.errors import Refusal


class AlreadyReversed(Refusal):
    code = "already_reversed"
    zh = "该笔核销已冲正。"
    en = "This write-off was reversed already."


class AlreadySettled(Refusal):
    code = "already_settled"
    zh = "该笔核销已结算，请联系工作人员更正。"
    en = "This write-off was settled already; please have staff correct it."


class OriginalAmbiguous(Refusal):
    code = "original_ambiguous"
    zh = "本机构有多台终端使用了该请求号，请注明原终端（original_terminal_id）。"
    en = "Several terminals of this institution used that number; name one as `original_terminal_id`."


class NotReversible(Refusal):
    code = "not_reversible"
    zh = "该券种核销后不可冲正。"
    en = "A write-off of this kind of voucher cannot be undone."


class ReversalByStaffOnly(Refusal):
    code = "reversal_by_staff_only"
    zh = "该券种的冲正须由工作人员办理，请联系主管部门。"
    en = "Only the programme's staff can undo a write-off of this kind of voucher."


class ReversalWindowOver(Refusal):
    code = "reversal_window_over"
    zh = "已超过终端可冲正的时限，请联系工作人员办理。"
    en = "The time within which a terminal may undo this write-off is over; please contact staff."


class ResultReported(Refusal):
    code = "result_reported"
    zh = "该笔核销的服务结果已上报，终端不可冲正，请联系工作人员办理。"
    en = "A service result was reported for this write-off; please have staff undo it."
