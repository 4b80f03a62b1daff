from typing_extensions import override

from shared.errors import Refusal


class OutOfStock(Refusal):
    """The award stays open, for another type, or for the next release when a plan holds the rest back."""

    code = "out_of_stock"
    zh = "该券种已领完，请选择其他券种。"
    en = "This voucher type is used up; please choose another one."

    def __init__(self, *, next_release_at: str | None = None) -> None:
        """`next_release_at` is RFC 3339, in the platform's time zone."""
        super().__init__(extra={"next_release_at": next_release_at} if next_release_at else None)
        self._next = next_release_at[:16].replace("T", " ") if next_release_at else None

    @override
    def detail(self, language: str) -> str:
        if self._next is None:
            return super().detail(language)
        if language == "en":
            return f"This voucher type is used up for now; more can be claimed from {self._next}."
        return f"该券种本次投放已领完，下次投放时间为 {self._next}，也可选择其他券种。"


class AwardAlreadyClaimed(Refusal):
    code = "award_already_claimed"
    zh = "该奖项已领取，请到“我的消费券”查看。"
    en = "This award was claimed already; the voucher is in your wallet."


class AwardExpired(Refusal):
    code = "award_expired"
    zh = "该奖项已超过领取期限。"
    en = "The time to claim this award is over."
