"""What a person can do today, over the wire."""

from pydantic import BaseModel, Field


class WayToday(BaseModel):
    """A way to take part, and what of it is left today."""

    channel: str
    name: str
    chances: int = Field(description="what it earns each time")
    review: bool = Field(description="the chances come when staff, or the verifier, have accepted it")
    done_today: int
    left_today: int | None = Field(description="null: as often as one likes")


class Today(BaseModel):
    """A person in a campaign at this moment. Reads only: what is allowed is decided when it is done."""

    as_of: str
    campaign: str
    phase: int | None = Field(description="the open phase; null: none, or the campaign is paused")
    next_opens_at: str | None = Field(description="when the next phase opens, if none is open")
    next_day_at: str = Field(description="when the counts of a day begin again")
    identity_verified: bool
    consent_withdrawn: bool
    excluded: bool
    excluded_note: str | None = Field(description="what an excluded person may do about it")
    open_attempt: str | None = Field(description="a quiz that was begun and can be gone on with")
    chances: int
    draws_left_today: int
    vouchers_left: int = Field(description="in this phase, after vouchers and open awards; 0 without a phase")
    awards_open: int
    ways: list[WayToday]


class DrawItem(BaseModel):
    """A draw as it was answered, with what it takes to check it."""

    draw_id: str
    phase: int
    channel: str = Field(description="how the chance was earned")
    drawn_at: str
    won: bool
    chance_id: str
    client_seed: str
    odds: str
    seed_commitment: str
    value: str = Field(description="64 hex digits")
