"""Allocations over the wire: a proposal, and a version as it is in force."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.quota.allocation.rules import VISITS, Method
from services.quota.bases.schemas import BasisName
from services.quota.programmes.rules import CARDS_MAX
from services.quota.programmes.schemas import Reason
from shared.http.replies import Body, StaffBody
from shared.rankings import parse_month
from shared.rates import parse_rate, rate_text

_ADJUSTMENTS_MAX = 1_000
# As many as a programme may have hospitals that a bureau would bound one by one.
_BOUNDS_MAX = 1_000
_POINTS_MAX = 100
_YEARS = range(1900, 2200)


def _points(value: object) -> Decimal:
    try:
        points = parse_rate(value)
    except ValueError:
        raise PydanticCustomError("rate_invalid", "应为小数或小数文本，最多六位小数") from None
    if not 0 < points <= _POINTS_MAX:
        raise PydanticCustomError("points_range", "应大于 0 且不超过 100（占总数的百分点）")
    return points


def _month(value: object) -> date:
    found = value if isinstance(value, date) else parse_month(value) if isinstance(value, str) else None
    if found is None or found.year not in _YEARS:
        raise PydanticCustomError("month_invalid", "应为 YYYY-MM 形式的月份")
    return found


def month_text(month: date) -> str:
    return f"{month:%Y-%m}"


Month = Annotated[
    date,
    BeforeValidator(_month),
    PlainSerializer(month_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}$", "examples": ["2020-10"]}),
]
Points = Annotated[
    Decimal,
    BeforeValidator(_points),
    PlainSerializer(rate_text, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}], "examples": [3]}),
]
HospitalRef = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class AdjustmentBody(Body):
    """Moves quota from one hospital to another, so that adjustments always add up to zero."""

    source: HospitalRef = Field(alias="from", description="name or id of the hospital that gives")
    target: HospitalRef = Field(alias="to", description="name or id of the hospital that receives")
    share_points: Points | None = Field(default=None, description="percentage points of the total")
    cards: Annotated[int, Field(ge=1, le=CARDS_MAX)] | None = None
    reason: Reason

    @model_validator(mode="after")
    def _points_or_cards(self) -> Self:
        if (self.share_points is None) == (self.cards is None):
            raise PydanticCustomError("points_or_cards", "share_points 与 cards 须且只须填写一项")
        return self


class BoundBody(Body):
    """The least and the most that a hospital may get; what it gives or takes is shared by all others."""

    hospital: HospitalRef = Field(description="name or id")
    minimum: Annotated[int, Field(ge=0, le=CARDS_MAX)] | None = Field(default=None, alias="min")
    maximum: Annotated[int, Field(ge=0, le=CARDS_MAX)] | None = Field(default=None, alias="max")
    reason: Reason

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.minimum is None and self.maximum is None:
            raise PydanticCustomError("min_or_max", "min 与 max 至少填写一项")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise PydanticCustomError("min_above_max", "min 不能大于 max")
        return self


class AllocationProposal(StaffBody):
    total: Annotated[int, Field(ge=1, le=CARDS_MAX)]
    method: Method
    adjustments: list[AdjustmentBody] = Field(default_factory=list, max_length=_ADJUSTMENTS_MAX)
    basis: BasisName = Field(
        default=VISITS, description="what the shares are of; `visits` or an imported basis"
    )
    bounds: list[BoundBody] = Field(default_factory=list, max_length=_BOUNDS_MAX)
    effective_month: Month | None = Field(
        default=None, description="first month that is judged by it; null: every month that is not frozen"
    )
    reason: Reason


class ChangeProposed(BaseModel):
    change_id: str
    status: Literal["pending"]


class AllocationItem(BaseModel):
    hospital_id: str
    hospital: str
    alliance: str
    visits: int
    basis_value: str = Field(description="what the share is of; the visits unless a basis was named")
    share: str = Field(description="of the whole basis, before adjustments; decimal text")
    adjustment_points: str = Field(description="percentage points of the total; decimal text")
    adjustment_cards: int
    bound_cards: str = Field(
        description="what bounds, its own or others', give or take; in cards, decimal text"
    )
    exact: str = Field(description="the quota before it was made whole; decimal text")
    quota: int


class AllianceQuota(BaseModel):
    alliance: str
    quota: int


class AdjustmentView(BaseModel):
    source: str = Field(serialization_alias="from")
    target: str = Field(serialization_alias="to")
    share_points: str | None
    cards: int | None
    reason: str


class BoundView(BaseModel):
    hospital: str
    minimum: int | None = Field(serialization_alias="min")
    maximum: int | None = Field(serialization_alias="max")
    reason: str


class AllocationView(BaseModel):
    version: int | None = Field(description="null: a preview")
    total: int
    method: Method
    basis: str
    effective_month: str | None = Field(description="null: every month that is not frozen")
    sum: int = Field(description="what the quotas add up to; round_each may miss the total")
    difference: int = Field(description="sum − total")
    reason: str
    applied_at: str | None
    items: list[AllocationItem]
    listed: int = Field(description="hospitals that fit `alliance` and `q`, on all pages together")
    next_cursor: str | None
    alliances: list[AllianceQuota]
    adjustments: list[AdjustmentView]
    bounds: list[BoundView]


class AllocationVersion(BaseModel):
    version: int
    total: int
    method: Method
    basis: str
    effective_month: str | None
    sum: int
    difference: int = Field(description="sum − total")
    reason: str
    applied_at: str
    in_force: bool


class AllocationVersions(BaseModel):
    items: list[AllocationVersion]
