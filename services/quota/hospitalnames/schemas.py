from typing import Annotated, Literal

from pydantic import BaseModel, Field

from services.quota.hospitals.schemas import HospitalName
from services.quota.programmes.schemas import Reason
from shared.http.replies import Body, StaffBody

NAMES_MAX = 1_000


class NearMatch(BaseModel):
    """A hospital that might be meant: offered, never taken by itself."""

    hospital_id: str
    hospital: str
    matched: str = Field(description="the one of its names that is near")
    score: float


class NewName(StaffBody):
    """`current` renames the hospital: files may go on using the name until now, as a former one."""

    name: HospitalName
    kind: Literal["alias", "former", "current"] = "alias"
    reason: Reason


class NameGone(StaffBody):
    name: HospitalName
    reason: Reason


class NameView(BaseModel):
    name: str
    kind: Literal["alias", "former", "current"]
    reason: str | None = Field(description="null: from a list")
    added_at: str
    withdrawn_at: str | None
    withdrawn_reason: str | None


class HospitalNames(BaseModel):
    hospital_id: str
    hospital: str
    names: list[NameView]


class NamesToMatch(Body):
    names: Annotated[list[HospitalName], Field(min_length=1, max_length=NAMES_MAX)]


class Match(BaseModel):
    name: str
    hospital_id: str | None = Field(description="null: nobody has this name")
    hospital: str | None
    near_matches: list[NearMatch]


class Matches(BaseModel):
    """In the order of the names."""

    items: list[Match]
