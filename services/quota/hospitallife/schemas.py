"""Dated changes of a hospital over the wire, and its history."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.quota.hospitallife.rules import Kind, Proposed
from services.quota.hospitalnames.schemas import NameView
from services.quota.hospitals.rules import State
from services.quota.hospitals.schemas import AllianceName, HospitalId
from services.quota.programmes.schemas import Reason
from shared.http.replies import Day, StaffBody


class _Dated(StaffBody):
    on: Day = Field(description="from this day on; not before the first day after the last frozen month")
    reason: Reason


class Opening(_Dated):
    """Before the day the hospital gets no quota; a card through its code counts all the same."""

    def proposed(self, hospital_id: str) -> Proposed:
        return Proposed("open", hospital_id, self.on)


class Closure(_Dated):
    """No quota from the next allocation on. Its codes go on counting: for it, or for the heir."""

    heir_id: HospitalId | None = Field(
        default=None, description="whom its codes count for from that day on, tomorrow at the earliest"
    )

    def proposed(self, hospital_id: str) -> Proposed:
        return Proposed("close", hospital_id, self.on, successor_id=self.heir_id)


class Merger(_Dated):
    """From the day on its cards, codes, visits and quota are part of the other's line."""

    into_id: HospitalId

    def proposed(self, hospital_id: str) -> Proposed:
        return Proposed("merge", hospital_id, self.on, successor_id=self.into_id)


class AllianceMove(_Dated):
    """Months that end before the day show the old alliance, later ones the new one."""

    alliance: AllianceName = Field(description="empty: it stands alone from then on")

    def proposed(self, hospital_id: str) -> Proposed:
        return Proposed("move", hospital_id, self.on, alliance=self.alliance)


class Withdrawal(StaffBody):
    reason: Reason


class ChangeProposed(BaseModel):
    change_id: str
    status: Literal["pending"]


class LifeEventView(BaseModel):
    event_id: str
    kind: Kind
    on: str
    successor_id: str | None
    successor: str | None
    alliance: str | None = Field(description="of a move; empty: alone")
    reason: str
    change_id: str
    recorded_at: str
    proposed_by: str | None = Field(description="null for a hospital's staff")
    approved_by: str | None = Field(description="null for a hospital's staff")
    withdrawn_at: str | None
    withdrawn_reason: str | None
    explanation: str


class HospitalHistory(BaseModel):
    hospital_id: str
    hospital: str
    programme: str
    as_of: str
    state: State
    alliance: str
    listed_alliance: str = Field(description="before its first move")
    counts_in: str | None = Field(description="merged: the hospital whose line it is part of")
    created_at: str
    names: list[NameView]
    events: list[LifeEventView]


def proposed_of(body: dict[str, object]) -> Proposed:
    """A change's body as it was written by us."""
    successor, alliance = body["successor_id"], body["alliance"]
    return Proposed(
        body["kind"],  # type: ignore[arg-type] # written from a Proposed
        str(body["hospital_id"]),
        date.fromisoformat(str(body["on"])),
        successor_id=None if successor is None else str(successor),
        alliance=None if alliance is None else str(alliance),
    )


def event_id_of(body: dict[str, object]) -> UUID:
    return UUID(str(body["event_id"]))
