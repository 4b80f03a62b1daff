"""Hospitals over the wire: as they stand on a day, and a single new one."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from services.quota.hospitals.rules import NAME_LENGTH_MAX, VISITS_MAX, State
from services.quota.programmes.schemas import Reason
from shared.http.replies import StaffBody, encode_cursor

HospitalName = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=NAME_LENGTH_MAX, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]
AllianceName = Annotated[
    str,
    StringConstraints(max_length=NAME_LENGTH_MAX, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$"),
]
HospitalId = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class HospitalItem(BaseModel):
    """`alliance` and what follows `scene` are as of `as_of` (today, unless a day was asked for)."""

    hospital_id: str
    hospital: str
    alliance: str = Field(description="empty: stands alone")
    visits: int
    scene: str
    state: State = Field(description="merged: its cards and quota are part of `counts_in`")
    opened_on: str | None = Field(default=None, description="null: always")
    ended_on: str | None = Field(default=None, description="the first day closed or merged")
    successor_id: str | None = Field(default=None, description="whom it merged into or left its codes to")
    counts_in: str | None = Field(default=None, description="merged: the hospital whose line it is part of")


class NewHospitalBody(StaffBody):
    hospital: HospitalName
    alliance: AllianceName = ""
    visits: Annotated[int, Field(ge=0, le=VISITS_MAX)]
    confirmed_new: bool = Field(default=False, description="it is new although its name is near to others")
    reason: Reason


class HospitalMade(BaseModel):
    hospital_id: str
    hospital: str
    alliance: str
    visits: int
    scene: str


def cursor_at(place: int | None) -> str | None:
    """Of the page that begins at this place of a list of figures."""
    return None if place is None else encode_cursor([place])
