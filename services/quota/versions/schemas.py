"""Two versions of the quotas beside each other, over the wire."""

from pydantic import BaseModel, Field

from services.quota.allocation.schemas import AllocationVersion


class Why(BaseModel):
    """The parts of a difference in cards, decimal text; they add up to it."""

    total: str = Field(description="another total")
    basis: str = Field(description="another basis, other figures, or another list")
    adjustment: str
    bounds: str = Field(description="bounds of this hospital or of others")
    rounding: str


class ComparedHospital(BaseModel):
    hospital_id: str
    hospital: str
    alliance: str
    before: int | None = Field(description="null: not in that version")
    after: int | None
    difference: int
    why: Why
    reasons: list[str] = Field(description="of the later version's adjustments and bounds that name it")


class ComparedAlliance(BaseModel):
    alliance: str
    before: int | None
    after: int | None
    difference: int
    why: Why


class AllocationComparison(BaseModel):
    earlier: AllocationVersion = Field(serialization_alias="from")
    later: AllocationVersion = Field(serialization_alias="to")
    items: list[ComparedHospital]
    alliances: list[ComparedAlliance]
