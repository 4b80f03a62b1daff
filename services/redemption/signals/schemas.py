from typing import Annotated, Literal

from pydantic import BaseModel, Field

from shared.http.replies import StaffBody

HOURLY_MAX = 100_000


class Declare(StaffBody):
    hourly: Annotated[int, Field(ge=1, le=HOURLY_MAX)] | None = Field(
        description="write-offs an hour; null: it no longer says"
    )


class Capacity(BaseModel):
    institution_id: str
    hourly: int | None


class FailedDay(BaseModel):
    id: str
    campaign_id: str
    institution_id: str
    institution: str | None = Field(description="null: it is gone")
    day: str
    attempts: int
    error: str | None
    created_at: str


class DayQueued(BaseModel):
    id: str
    status: Literal["queued"]
