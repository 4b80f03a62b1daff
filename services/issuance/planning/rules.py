"""What the data so far say about the days to come: a plan's scenario, put together from figures. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.issuance.phases.rules import Release
from services.issuance.simulation.rules import Scenario, TypePlan, WayPlan
from shared.estimates import Share, Trend, entered_trend, observed_share, observed_trend

# Without any choice observed, types are chosen in proportion to their stock, and that counts for little.
_WEIGHT_MIN = 1e-3


@dataclass(frozen=True, slots=True)
class PhaseDays:
    """A phase's days in the campaign's time zone, both inclusive."""

    seq: int
    first_day: date
    last_day: date

    def includes(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


@dataclass(slots=True)
class Day:
    """What a day of a campaign brought; chances by the way that earned them."""

    attempts: int = 0
    passed: int = 0
    participants: int = 0
    chances: Counter[str] = field(default_factory=Counter)
    draws: int = 0
    wins: int = 0
    money_fen: int = 0
    issued: dict[str, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(frozen=True, slots=True)
class Observed:
    """A trend, and the phase and the days that it was read from."""

    trend: Trend
    phase: PhaseDays
    days: int


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """A voucher type: what it costs, how many are left, how many were issued in the plan's phase."""

    key: str
    price_fen: int
    stock: int
    issued: int
    release: Release | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a campaign and the phase that is planned.

    `left_to_award` is by phase; `waiting` are open awards, of this phase and of all. `persons` began an
    attempt at some time. Limits are per person; None: there is none.
    """

    timezone: str
    today: date
    phases: Sequence[PhaseDays]
    phase: PhaseDays
    days: Mapping[date, Day]
    types: Sequence[TypeFacts]
    ways: Sequence[str]
    chances_per_pass: int
    left_to_award: Mapping[int, int]
    waiting: int
    waiting_everywhere: int
    persons: int
    award_valid_days: int
    draws_per_day: int
    draws_per_phase: int | None
    vouchers_per_phase: int

    def total(self, of: Callable[[Day], int], *, within: Collection[PhaseDays] | None = None) -> int:
        """Summed over all days, or over those of these phases."""
        return sum(
            of(day)
            for at, day in self.days.items()
            if within is None or any(window.includes(at) for window in within)
        )

    @property
    def attempts(self) -> dict[date, int]:
        return {at: day.attempts for at, day in self.days.items()}

    @property
    def begins(self) -> date:
        """The first day of a plan: the opening, or the first day that has nothing of its own yet."""
        if self.today < self.phase.first_day:
            return self.phase.first_day
        day = self.days.get(self.today)
        busy = day is not None and (day.attempts or day.chances.total())
        return self.today + timedelta(days=1) if busy else self.today


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is entered instead of being read from the data; None or missing: as the data say."""

    days: int
    daily_attempts: Sequence[int] | None = None
    daily_chances: Mapping[str, int] = field(default_factory=dict)
    release_per_day: Mapping[str, int] = field(default_factory=dict)


def observed_days(counts: Mapping[date, int], phase: PhaseDays, today: date) -> dict[int, int]:
    """A phase's days that are over, from the first with a count: day of the phase (from 0) → count.

    Today is not over, and would look like a fall; it counts only while there is no other day.
    """
    seen = [day for day in counts if phase.includes(day) and counts[day] > 0]
    if not seen:
        return {}
    first, last = min(seen), min(phase.last_day, max(today - timedelta(days=1), min(seen)))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return {(day - phase.first_day).days: counts.get(day, 0) for day in days}


def observed_trend_of(facts: Facts, counts: Mapping[date, int]) -> Observed | None:
    """From the phase itself, else from the latest one before it that has counts; None without any.

    A new phase begins as the one before began: on its day 0.
    """
    phase = facts.phase
    before = sorted((other for other in facts.phases if other.seq < phase.seq), key=lambda other: -other.seq)
    for source in (phase, *before):
        days = observed_days(counts, source, facts.today)
        if days:
            trend = observed_trend(days, first_day=(facts.begins - phase.first_day).days)
            return Observed(trend=trend, phase=source, days=len(days))
    return None


def scenario(
    facts: Facts, assumed: Assumed, *, observed: Observed | None, pass_rate: Share
) -> Scenario | None:
    """The plan's scenario; None when nothing tells how many will take part."""
    ways = _ways(facts, assumed)
    if assumed.daily_attempts is not None:
        participation = entered_trend(assumed.daily_attempts)
    elif observed is not None:
        participation = observed.trend
    elif any(way.trend for way in ways):
        # A campaign without a quiz, or one in which nobody tried it yet.
        participation = entered_trend([0])
    else:
        return None
    attempts = facts.total(lambda day: day.attempts)
    here = [facts.phase]
    persons_per_attempt = facts.persons / attempts if attempts else 0.0
    return Scenario(
        days=assumed.days,
        participation=participation,
        pass_rate=pass_rate,
        chances_per_pass=facts.chances_per_pass,
        ways=ways,
        drawn=_drawn(facts),
        claimed=_claimed(facts),
        types=_types(facts, assumed),
        left_to_award=facts.left_to_award[facts.phase.seq],
        open_awards=facts.waiting,
        award_valid_days=facts.award_valid_days,
        participants_per_attempt=facts.total(lambda day: day.participants) / max(attempts, 1),
        draws_per_day=facts.draws_per_day,
        persons_per_attempt=persons_per_attempt,
        vouchers_per_person=facts.vouchers_per_phase,
        draws_per_person=facts.draws_per_phase,
        won_before=facts.total(lambda day: day.wins, within=here),
        drawn_before=facts.total(lambda day: day.draws, within=here),
        persons_before=facts.total(lambda day: day.attempts, within=here) * persons_per_attempt,
    )


def _ways(facts: Facts, assumed: Assumed) -> tuple[WayPlan, ...]:
    """The ways beside the quiz: as entered, else as many chances to an attempt as so far, else by the day."""
    attempts = facts.total(lambda day: day.attempts)
    found: list[WayPlan] = []
    for key in facts.ways:
        if key == "quiz":
            continue
        by_day = {at: day.chances[key] for at, day in facts.days.items()}
        if key in assumed.daily_chances:
            found.append(WayPlan(key, trend=entered_trend([assumed.daily_chances[key]])))
        elif attempts:
            found.append(WayPlan(key, chances=sum(by_day.values()), attempts=attempts))
        else:
            own = observed_trend_of(facts, by_day)
            found.append(WayPlan(key, trend=own.trend if own else None))
    return tuple(found)


def _drawn(facts: Facts) -> Share | None:
    """The share of chances that are drawn. Where awards ran out chances were left over: that says nothing."""
    telling = [phase for phase in facts.phases if facts.left_to_award[phase.seq]]
    draws = facts.total(lambda day: day.draws, within=telling)
    chances = facts.total(lambda day: day.chances.total(), within=telling)
    return observed_share(draws, chances) if draws and chances else None


def _claimed(facts: Facts) -> Share | None:
    """The share of awards that are claimed, of those that are not still waiting."""
    decided = facts.total(lambda day: day.wins) - facts.waiting_everywhere
    issued = facts.total(lambda day: sum(day.issued.values()))
    return observed_share(issued, decided) if decided > 0 else None


def _types(facts: Facts, assumed: Assumed) -> tuple[TypePlan, ...]:
    stock = sum(entry.stock for entry in facts.types)
    issued: Counter[str] = Counter()
    for day in facts.days.values():
        issued.update(day.issued)
    return tuple(
        TypePlan(
            key=entry.key,
            price_fen=entry.price_fen,
            stock=entry.stock,
            weight=issued[entry.key] + max(len(facts.types) * entry.stock / max(stock, 1), _WEIGHT_MIN),
            claimable=_claimable(facts, assumed, entry),
        )
        for entry in facts.types
    )


def _claimable(facts: Facts, assumed: Assumed, entry: TypeFacts) -> tuple[int, ...] | None:
    """How many of a type may be claimed by the end of each day of the plan, as its release plan says."""
    per_day = assumed.release_per_day.get(entry.key)
    if per_day is not None:
        return tuple(per_day * (day + 1) for day in range(assumed.days))
    if entry.release is None:
        return None
    found: list[int] = []
    for day in range(assumed.days):
        midnight = datetime.combine(facts.begins + timedelta(days=day + 1), time(), ZoneInfo(facts.timezone))
        released = entry.release.released(midnight - timedelta(seconds=1))
        found.append(entry.stock if released is None else min(entry.stock, max(0, released - entry.issued)))
    return tuple(found)
