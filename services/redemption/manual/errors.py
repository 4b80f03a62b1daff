from shared.errors import Refusal


class ManualNotOffered(Refusal):
    code = "manual_not_offered"
    status = 403
    zh = "本活动或本机构未开通凭身份证号人工核销。"
    en = "Writing off by id number is not offered here for this kind of voucher."


class NoVoucherOfHolder(Refusal):
    """One answer whoever the number is of and whatever became of the vouchers: strangers learn nothing."""

    code = "no_voucher_of_holder"
    status = 404
    zh = "未找到可核销的消费券，请核对身份证号码和券种。"
    en = "There is no voucher to write off; please check the id number and the kind of voucher."
