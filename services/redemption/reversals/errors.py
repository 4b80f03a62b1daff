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
