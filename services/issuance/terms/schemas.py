"""What staff propose to change for a whole campaign. Each body is the whole new rule."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.issuance.campaigns.schemas import Fen, HoldDays, Key, PersonLimits, Rate, Reason
from shared.http.replies import Body, StaffBody

_PAYERS_MAX = 50


class BudgetChange(StaffBody):
    budget_fen: Fen
    reason: Reason


class LimitsChange(PersonLimits, StaffBody):
    """A limit that is left out does not bind any more."""

    reason: Reason


class SettlementHoldChange(StaffBody):
    """For settlement runs that begin from then on."""

    settlement_hold_days: HoldDays | None = Field(description="null: as the platform is set")
    reason: Reason


class PayerShare(Body):
    """A payer that drops out keeps its place, with a share of 0."""

    key: Key
    share: Rate


class SharesChange(StaffBody):
    """Every payer of the campaign, once. Vouchers that were issued keep the shares of their time."""

    funding_sources: Annotated[list[PayerShare], Field(min_length=1, max_length=_PAYERS_MAX)]
    reason: Reason

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        shares = [source.share for source in self.funding_sources]
        if any(not 0 <= share <= 1 for share in shares):
            raise PydanticCustomError("share_range", "出资比例必须在 0 与 1 之间")
        if sum(shares) != 1:
            raise PydanticCustomError("shares_sum", "出资比例之和必须恰好等于 1")
        return self


class ChannelChange(StaffBody):
    """The whole rule of a way to take part; what was earned before stays."""

    chances: Annotated[int, Field(ge=1, le=100)]
    per_day: Annotated[int, Field(ge=1, le=10_000)] | None = None
    review: bool = False
    reason: Reason
