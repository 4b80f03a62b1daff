"""Allocations over the wire: a proposal, and a version as it is in force."""

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

from services.quota.allocation.rules import Method
from services.quota.programmes.rules import CARDS_MAX
from services.quota.programmes.schemas import Reason
from shared.http.replies import Body, StaffBody
from shared.rates import parse_rate, rate_text

_ADJUSTMENTS_MAX = 1_000
_POINTS_MAX = 100


def _points(value: object) -> Decimal:
    try:
        points = parse_rate(value)
    except ValueError:
        raise PydanticCustomError("rate_invalid", "应为小数或小数文本，最多六位小数") from None
    if not 0 < points <= _POINTS_MAX:
        raise PydanticCustomError("points_range", "应大于 0 且不超过 100（占总数的百分点）")
    return points


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


class AllocationProposal(StaffBody):
    total: Annotated[int, Field(ge=1, le=CARDS_MAX)]
    method: Method
    adjustments: list[AdjustmentBody] = Field(default_factory=list, max_length=_ADJUSTMENTS_MAX)
    reason: Reason


class ChangeProposed(BaseModel):
    change_id: str
    status: Literal["pending"]


class AllocationItem(BaseModel):
    hospital_id: str
    hospital: str
    alliance: str
    visits: int
    share: str = Field(description="of all visits, before adjustments; decimal text")
    adjustment_points: str = Field(description="percentage points of the total; decimal text")
    adjustment_cards: int
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


class AllocationView(BaseModel):
    version: int | None = Field(description="null: a preview")
    total: int
    method: Method
    sum: int = Field(description="what the quotas add up to; round_each may miss the total")
    difference: int = Field(description="sum − total")
    reason: str
    applied_at: str | None
    items: list[AllocationItem]
    alliances: list[AllianceQuota]
    adjustments: list[AdjustmentView]


class AllocationVersion(BaseModel):
    version: int
    total: int
    method: Method
    sum: int
    reason: str
    applied_at: str
    in_force: bool


class AllocationVersions(BaseModel):
    items: list[AllocationVersion]
