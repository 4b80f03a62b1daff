from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from shared.http.replies import StaffBody

Status = Literal["open", "released", "rejected"]


class DecisionBody(StaffBody):
    decision: Literal["release", "reject"]
    note: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class EvidenceView(BaseModel):
    """`observed` against the `limit` of the campaign's rule, at the moment of the win."""

    signal: Literal[
        "persons_per_device", "persons_per_address_per_day", "wins_per_device", "seconds_per_question"
    ]
    observed: int
    limit: int


class HoldPerson(BaseModel):
    person_id: str = Field(description="also for an exclusion")
    name_masked: str | None


class HoldView(BaseModel):
    id: str = Field(description="the award's")
    campaign: str
    phase: int
    status: Status
    person: HoldPerson
    won_at: str
    held_at: str
    evidence: list[EvidenceView]
    decided_at: str | None
    decided_by: str | None
    note: str | None


class HoldDecided(BaseModel):
    id: str
    status: Literal["released", "rejected"]
