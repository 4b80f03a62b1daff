from typing import Literal

from pydantic import BaseModel, Field


class OwnInstitution(BaseModel):
    id: str
    name: str
    status: Literal["active", "paused", "closed"]


class AcceptedType(BaseModel):
    campaign: str
    key: str = Field(description="the `voucher_type` of write-offs")
    name: str
    kind: Literal["directed", "general"]
    by_id_number: bool = Field(description="may be written off by the holder's id number")
    reports_result: bool = Field(description="the result of its service is reported for the health code")


class OfflineDay(BaseModel):
    campaign: str
    count_per_day: int | None = Field(description="null: as many as it likes")
    fen_per_day: int | None


class OfflineRules(BaseModel):
    """What an upload may be, so that a till takes nothing without a line that will be refused for sure."""

    items_max: int = Field(description="of one upload; more go into further ones")
    late_hours: int = Field(description="older times of use are refused, `too_late`")
    days: list[OfflineDay] = Field(
        description="one for each campaign that the institution takes part in; uploads of one day of use"
    )


class OwnTerminal(BaseModel):
    """What a terminal shows of itself, and needs to know before it works without a line."""

    terminal_id: str
    label: str
    status: Literal["pending", "active", "paused", "revoked"]
    institution: OwnInstitution
    voucher_types: list[AcceptedType]
    offline: OfflineRules
    server_time: str
