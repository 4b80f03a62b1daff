from typing import Self

from pydantic import BaseModel, Field

from services.issuance.calibration.schemas import RateText, decimal_text
from services.issuance.monitoring.rules import Drift, Step


class DriftView(BaseModel):
    """`p`: how probable is a number of wins this unlikely, if the announced odds are kept (exact)."""

    draws: int
    wins: int
    expected_wins: RateText
    announced_odds: RateText | None
    observed_odds: RateText | None
    p: float
    alarm: bool

    @classmethod
    def of(cls, drift: Drift, *, alarm: bool, **place: str) -> Self:
        announced, observed = drift.announced, drift.observed
        return cls(
            draws=drift.draws,
            wins=drift.wins,
            expected_wins=decimal_text(drift.expected_wins),
            announced_odds=None if announced is None else decimal_text(announced),
            observed_odds=None if observed is None else decimal_text(observed),
            p=drift.p,
            alarm=alarm,
            **place,
        )


class DayDrift(DriftView):
    date: str


class ChannelDrift(DriftView):
    channel: str


class DayChannelDrift(DayDrift):
    channel: str


class DrawMonitor(BaseModel):
    """`alarm` when any of these is at most as probable as `alarm_p`, which falls with their number (Holm)."""

    as_of: str
    alarm: bool
    alarm_p: float
    total: DriftView
    by_day: list[DayDrift]
    by_channel: list[ChannelDrift]
    by_day_and_channel: list[DayChannelDrift]


class StepView(BaseModel):
    name: str = Field(
        description="started, answered, passed (quiz); submitted, accepted (other ways); "
        "chances, draws, wins, claimed, redeemed. Of persons: signed_in (to the platform, whatever the "
        "campaign), verified, took_part, drew, won, claimed, redeemed"
    )
    count: int
    kept: RateText | None = Field(description="of the step before; null at the first, or after none")
    lost: int | None = Field(description="of the step before, those who did not come so far")

    @classmethod
    def of(cls, step: Step) -> Self:
        kept = None if step.kept is None else decimal_text(step.kept)
        return cls(name=step.name, count=step.count, kept=kept, lost=step.lost)


class ChannelFunnel(BaseModel):
    channel: str
    steps: list[StepView]


class DayFunnel(BaseModel):
    """Each step counts on the day on which it was taken: a voucher may be redeemed weeks after its draw."""

    date: str
    opened: int = Field(description="devices that opened the campaign on this day, signed in or not")
    channels: list[ChannelFunnel]


class Funnel(BaseModel):
    """Of a large campaign as it was counted some minutes ago (`as_of`)."""

    as_of: str
    opened: int = Field(description="openings: each device once a day, signed in or not")
    started_estimated: bool = Field(
        description="begun attempts and persons are estimated from a sample of persons"
    )
    persons: list[StepView] = Field(description="persons, each counted once")
    steps: list[StepView] = Field(description="all ways together, from the chance on")
    channels: list[ChannelFunnel]
    daily: list[DayFunnel]
