from shared.errors import Refusal


class OutOfStock(Refusal):
    """The award stays open, for another type."""

    code = "out_of_stock"
    zh = "该券种已领完，请选择其他券种。"
    en = "This voucher type is used up; please choose another one."


class AwardAlreadyClaimed(Refusal):
    code = "award_already_claimed"
    zh = "该奖项已领取，请到“我的消费券”查看。"
    en = "This award was claimed already; the voucher is in your wallet."


class AwardExpired(Refusal):
    code = "award_expired"
    zh = "该奖项已超过领取期限。"
    en = "The time to claim this award is over."
