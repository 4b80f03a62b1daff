"""What staff propose to change in a running campaign."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.issuance.campaigns.rules import DefinitionFault, odds_faults, quiz_faults
from services.issuance.campaigns.schemas import QuizRule, Rate, Reason
from shared.http.replies import StaffBody

_DELTA_MAX = 1_000_000_000


def _refuse_first(faults: Iterable[DefinitionFault]) -> None:
    for fault in faults:
        raise PydanticCustomError(fault.code, "{sentence}", {"sentence": fault.message})


def _in_range(odds: Decimal) -> Decimal:
    _refuse_first(odds_faults(odds, ()))
    return odds


def _not_zero(delta: int) -> int:
    if delta == 0:
        raise PydanticCustomError("delta_zero", "增减数量不能为 0")
    return delta


class OddsChange(StaffBody):
    odds: Annotated[Rate, AfterValidator(_in_range)]
    reason: Reason


class QuizRuleChange(QuizRule, StaffBody):
    """The whole new rule."""

    reason: Reason

    @model_validator(mode="after")
    def _numbers_fit(self) -> Self:
        _refuse_first(quiz_faults(self.model_dump(), ()))
        return self


class StockChange(StaffBody):
    """`delta` vouchers are put in, or taken out when it is negative."""

    voucher_type: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    delta: Annotated[int, Field(ge=-_DELTA_MAX, le=_DELTA_MAX), AfterValidator(_not_zero)]
    reason: Reason
