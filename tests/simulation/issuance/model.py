"""A small model of what a person may do in a campaign: it foretells every answer.

It knows the contract and nothing of how the platform is built. Times are moments of the platform's clock.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from shared.clock import CHINA

AWARD_DAYS = timedelta(days=3)
VALIDITY = timedelta(days=60)
LATE_ARRIVAL = timedelta(hours=72)
PASS_SCORE = 60
TIME_LIMIT = timedelta(seconds=300)
ATTEMPTS_PER_DAY = 2
DRAWS_PER_DAY = 3
VOUCHERS_PER_PHASE = 2


@dataclass(slots=True)
class Attempt:
    id: str
    expires_at: datetime
    questions: list[dict[str, object]]
    answered: bool = False


@dataclass(slots=True)
class Award:
    id: str
    phase: int
    expires_at: datetime
    state: str = "open"

    def is_open(self, now: datetime) -> bool:
        return self.state == "open" and now < self.expires_at


@dataclass(slots=True)
class Voucher:
    id: str
    code: str
    voucher_type: str
    valid_until: datetime
    state: str = "issued"
    redemption: str | None = None

    def shown(self, now: datetime) -> str:
        return "expired" if self.state == "issued" and now >= self.valid_until else self.state


@dataclass(slots=True)
class Phase:
    opens_at: datetime
    closes_at: datetime
    remaining: dict[str, int]
    left_to_award: int

    def is_open(self, now: datetime) -> bool:
        return self.opens_at <= now < self.closes_at


def day_of(now: datetime) -> date:
    """The campaign's day."""
    return now.astimezone(CHINA).date()


@dataclass(slots=True)
class Person:
    attempts: list[Attempt] = field(default_factory=list)
    attempts_on: dict[date, int] = field(default_factory=dict)
    chances: int = 0
    draws_on: dict[date, int] = field(default_factory=dict)
    awards: list[Award] = field(default_factory=list)
    vouchers: list[Voucher] = field(default_factory=list)


@dataclass(slots=True)
class Campaign:
    """What is true of one campaign; a method named after an act says how it will be answered."""

    phases: list[Phase]
    paused: bool = False

    def open_phase(self, now: datetime) -> int | None:
        return next((place for place, phase in enumerate(self.phases) if phase.is_open(now)), None)

    def start(self, person: Person, now: datetime) -> str:
        if self.open_phase(now) is None:
            return "phase_not_open"
        if self.paused:
            return "campaign_paused"
        if person.attempts_on.get(day_of(now), 0) >= ATTEMPTS_PER_DAY:
            return "attempts_exhausted"
        return "created"

    def submit(self, attempt: Attempt, now: datetime) -> str:
        if attempt.answered:
            return "attempt_already_answered"
        return "attempt_expired" if now >= attempt.expires_at else "created"

    def draw(self, person: Person, now: datetime) -> str:
        phase = self.open_phase(now)
        if phase is None:
            return "phase_not_open"
        if self.paused:
            return "campaign_paused"
        if person.chances == 0:
            return "no_chance"
        held = sum(
            award.phase == phase and (award.state == "claimed" or award.is_open(now))
            for award in person.awards
        )
        if person.draws_on.get(day_of(now), 0) >= DRAWS_PER_DAY or held >= VOUCHERS_PER_PHASE:
            return "limit_reached"
        return "created" if self.phases[phase].left_to_award else "awards_exhausted"

    def claim(self, award: Award, voucher_type: str, now: datetime) -> str:
        if award.state == "claimed":
            return "award_already_claimed"
        if not award.is_open(now):
            return "award_expired"
        return "created" if self.phases[award.phase].remaining[voucher_type] else "out_of_stock"

    def redeem(self, voucher: Voucher, now: datetime) -> str:
        if voucher.state == "redeemed":
            return "already_redeemed"
        return "voucher_expired" if voucher.shown(now) == "expired" else "created"

    def sweep(self, people: list[Person], now: datetime) -> None:
        """Awards whose time is over go back to their phase.

        Vouchers end when even a till without a line may no longer bring them.
        """
        for person in people:
            for award in person.awards:
                if award.state == "open" and not award.is_open(now):
                    award.state = "expired"
                    self.phases[award.phase].left_to_award += 1
            for voucher in person.vouchers:
                if voucher.state == "issued" and now >= voucher.valid_until + LATE_ARRIVAL:
                    voucher.state = "expired"
