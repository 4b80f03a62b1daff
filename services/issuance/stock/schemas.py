from typing import Literal

from pydantic import BaseModel, Field


class StockItem(BaseModel):
    """A type in a phase: `put_in = remaining + claimed − returned`; what was claimed is in four states."""

    phase: int
    state: Literal["upcoming", "open", "paused", "closed"] = Field(description="of the phase")
    voucher_type: str
    name: str
    put_in: int
    released: int = Field(description="of it, what could be claimed by now")
    remaining: int
    claimable: int = Field(description="of what remains, what can be claimed now")
    claimed: int
    redeemed: int
    outstanding: int = Field(description="claimed, not used, still valid")
    expired: int
    revoked: int
    returned: int = Field(description="claimed, and back in stock or carried over to another phase")
    next_release_at: str | None
    next_release: int | None = Field(description="pieces that are let go then")
    per_day: str | None = Field(description="claims a day of the last seven days, or since the opening")
    days_left: str | None = Field(description="until nothing remains, at this pace; decimal text")
    used_up_at: str | None
    lasts: bool | None = Field(description="whether it lasts, at this pace, until the phase closes")


class StockView(BaseModel):
    as_of: str
    slug: str
    items: list[StockItem]
