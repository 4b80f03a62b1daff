from shared.errors import Refusal


class TooManyWrongCodes(Refusal):
    """Says when the terminal is let in again; staff can do so before."""

    code = "too_many_wrong_codes"
    status = 429
    zh = "该终端连续提交的错误券码过多，已暂时锁定，请稍后再试或联系工作人员解锁。"
    en = "This terminal sent too many wrong codes and is locked for a while; staff can unlock it."
