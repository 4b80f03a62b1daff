from typing import Literal

from pydantic import BaseModel, Field


class SeenTerminalItem(BaseModel):
    terminal_id: str
    institution_id: str
    institution: str
    label: str
    status: Literal["pending", "active", "paused", "revoked"]
    device_id: str | None
    activated_at: str | None
    last_seen_at: str | None = Field(description="its last signed call, to the minute")
    clock_skew_seconds: int | None = Field(description="how far its clock is ahead of the platform's")
    version: str | None = Field(description="of its software, as told at its last check-in")
