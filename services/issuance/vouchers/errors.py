from shared.errors import Refusal


class VoucherNotRevocable(Refusal):
    code = "voucher_not_revocable"
    zh = "该消费券已核销、过期或作废，不能再作废。"
    en = "This voucher was redeemed, has expired or was revoked: it cannot be revoked."
