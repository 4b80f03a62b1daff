"""Why a voucher is not written off. The SQL functions name them by `code`."""

from services.redemption.operators.errors import OperatorRequired, OperatorUnknown
from shared.errors import Refusal
from shared.signing import BadSignature, Replayed


class VoucherNotFound(Refusal):
    """One answer for every code that is unknown, malformed or foreign: strangers learn nothing."""

    code = "voucher_not_found"
    status = 404
    zh = "未找到该消费券，请核对券码。"
    en = "There is no such voucher; please check the code."


class InstitutionNotEligible(Refusal):
    code = "institution_not_eligible"
    status = 403
    zh = "本机构不受理该种消费券。"
    en = "This institution does not accept this kind of voucher."


class TerminalPaused(Refusal):
    code = "terminal_paused"
    zh = "该终端已暂停核销，请联系工作人员。"
    en = "This terminal is paused; please contact the programme's staff."


class InstitutionPaused(Refusal):
    code = "institution_paused"
    zh = "本机构已暂停核销，请联系工作人员。"
    en = "This institution is paused; please contact the programme's staff."


class VoucherRevoked(Refusal):
    code = "voucher_revoked"
    zh = "该消费券已作废。"
    en = "This voucher was revoked."


class AlreadyRedeemed(Refusal):
    code = "already_redeemed"
    zh = "该消费券已被使用。"
    en = "This voucher was already used."


class NotYetValid(Refusal):
    code = "not_yet_valid"
    zh = "该消费券尚未生效。"
    en = "This voucher is not valid yet."


class VoucherExpired(Refusal):
    code = "voucher_expired"
    zh = "该消费券已过期。"
    en = "This voucher has expired."


class TokenExpired(Refusal):
    code = "token_expired"
    zh = "二维码已失效，请刷新后重新出示。"
    en = "This QR code has expired; please refresh it and show it again."


class ReversedBeforeArrival(Refusal):
    code = "reversed_before_arrival"
    zh = "该笔核销在到达前已被冲正，不能再入账。"
    en = "This write-off was reversed before it arrived; it is refused for good."


class TooLate(Refusal):
    code = "too_late"
    zh = "使用时间已超过 72 小时，不能再补录。"
    en = "The time of use lies more than 72 hours back."


class RequestUnknown(Refusal):
    code = "request_unknown"
    status = 404
    zh = "没有该请求号的核销记录。"
    en = "No write-off with this request number has arrived from this terminal."


# `replayed_nonce` and `bad_signature` come from the same statement: the last look at who asks.
BY_WORD: dict[str, type[Refusal]] = {
    **{
        refusal.code: refusal
        for refusal in (
            VoucherNotFound,
            InstitutionNotEligible,
            TerminalPaused,
            InstitutionPaused,
            VoucherRevoked,
            AlreadyRedeemed,
            NotYetValid,
            VoucherExpired,
            TokenExpired,
            ReversedBeforeArrival,
            TooLate,
            OperatorRequired,
            OperatorUnknown,
        )
    },
    "replayed_nonce": Replayed,
    "bad_signature": BadSignature,
}
