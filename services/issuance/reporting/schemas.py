from pydantic import BaseModel, Field


class Day(BaseModel):
    date: str
    attempts: int
    participants: int
    passed: int
    draws: int
    wins: int
    issued: int


class WayFigures(BaseModel):
    """One way to take part: submitted = accepted + rejected + pending.

    Of the quiz these are answered attempts: passed ones were accepted, the others rejected.
    """

    submitted: int
    accepted: int
    rejected: int
    pending: int
    chances: int
    draws: int
    wins: int
    issued: int


class Metrics(BaseModel):
    """Exact as of `as_of`; days are those of the campaign's time zone."""

    as_of: str
    attempts: int = Field(description="answered ones")
    passed: int
    chances: int
    draws: int
    wins: int
    vouchers_issued: int
    issued_by_type: dict[str, int]
    stock_remaining: dict[str, int] = Field(description="over phases that are not closed")
    awards_open: int
    awards_on_hold: int = Field(description="open ones that staff have to look at")
    observed_odds: str | None = Field(description="wins ÷ draws; null before the first draw")
    announced_odds: str | None = Field(
        description="the odds in force at each draw, on average; before the first draw those in force now"
    )
    odds_drift_p: float | None = Field(
        description="exact two-sided probability of as many wins as observed, or fewer likely ones, under "
        "the announced odds; a small one means that the draws do not keep them"
    )
    by_channel: dict[str, WayFigures] = Field(description="each way to take part that the campaign offers")
    shares_accepted: dict[str, int] = Field(description="accepted shares by kind: followed, forwarded, …")
    leads_verified: dict[str, int] = Field(description="accepted leads by category")
    daily: list[Day]
