"""Honest traffic of a prefecture's institutions with patterns of cash-out mixed in, from a seed.

Pure: the same story is judged from roll-ups alone, and written into a database.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

from typing_extensions import override

from services.redemption.findings.rules import Signal
from services.redemption.riskdays.rules import Trace
from shared.clock import CHINA
from shared.ids import BUCKETS, HotId

FIRST_DAY = date(2020, 11, 1)
DAYS = 21
# Patterns begin when an institution has a past to compare with.
FRAUD_FROM = 9
FACE_FEN = 5_000
# Busy mornings, a dip at noon, few evenings.
_HOURS = (8, 9, 9, 9, 10, 10, 10, 11, 11, 12, 13, 14, 14, 15, 15, 16, 16, 17, 18, 19)


@dataclass(frozen=True, slots=True)
class Habits:
    """How an honest institution is: write-offs a day, and shares of what may look odd."""

    daily: int
    night: float = 0.01
    prompt: float = 0.05
    manual: float = 0.02
    at_face: float = 0.08
    same_bill: float = 0.05
    reversed: float = 0.02
    regulars: float = 0.03
    hourly: int | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A write-off of the story; `pattern` is the fraud that it belongs to."""

    institution: int
    day: date
    trace: Trace
    pattern: int | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    number: int
    kind: Signal
    institution: int
    first: date
    last: date


@dataclass(slots=True)
class Story:
    habits: list[Habits]
    patterns: list[Pattern] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)


@dataclass(slots=True)
class Teller:
    random: Random
    serial: int = 0

    def id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def share(self, part: float) -> bool:
        return self.random.random() < part

    def trace(self, day: date, hour: int, *, prompt: bool = False, holder: int | None = None) -> Trace:
        at = datetime(day.year, day.month, day.day, hour, tzinfo=CHINA) + timedelta(
            seconds=self.random.randrange(3_600)
        )
        waited = timedelta(minutes=self.random.uniform(1, 8) if prompt else self.random.uniform(30, 60 * 72))
        self.serial += 1
        return Trace(
            redemption=HotId(self.random.randrange(BUCKETS), self.id()),
            terminal_id=f"till-{self.random.randrange(2)}",
            voucher=self.id(),
            holder=self.serial + 1_000_000 if holder is None else holder,
            bill_fen=self.random.choice((80, 120, 200, 380, 660)) * 100 + self.random.randrange(1, 7_900),
            face_fen=FACE_FEN,
            issued_at=at - waited,
            redeemed_at=at,
            hour=hour,
            manual=False,
            live=True,
        )

    def honest(self, habits: Habits, day: date) -> Iterator[Trace]:
        crowd = 1.8 if day == FIRST_DAY else 1.3 if day.weekday() < 5 else 0.8
        for _ in range(round(self.random.gauss(habits.daily * crowd, habits.daily**0.5))):
            night = self.share(habits.night)
            hour = self.random.choice((23, 0, 5)) if night else self.random.choice(_HOURS)
            holder = self.random.randrange(12) if self.share(habits.regulars) else None
            trace = self.trace(day, hour, prompt=self.share(habits.prompt), holder=holder)
            if self.share(habits.at_face):
                trace = replace(trace, bill_fen=FACE_FEN)
            elif self.share(habits.same_bill):
                trace = replace(trace, bill_fen=6_000)
            yield from self.undone(replace(trace, manual=self.share(habits.manual)), habits.reversed)

    def undone(self, trace: Trace, part: float) -> Iterator[Trace]:
        """A write-off that may have been reversed first, and done again by hand."""
        if self.share(part):
            yield replace(trace, redemption=HotId(trace.redemption.bucket, self.id()), live=False)
            if self.share(0.5):
                return
        yield trace

    def fraud(self, kind: Signal, habits: Habits, days: list[date]) -> Iterator[tuple[date, Trace]]:
        """What an institution that cashes out does beside its honest work: about as much again, or twice."""
        if kind == "closed_group":
            ring = [self.random.getrandbits(40) for _ in range(self.random.randint(6, 10))]
            for day in days:
                for holder in ring:
                    if self.share(0.93):
                        yield day, self.trace(day, self.random.choice(_HOURS), holder=holder)
            return
        many = max(18, round(habits.daily * self.random.uniform(0.7, 2.0)))
        if kind == "jump":
            many = max(60, round(habits.daily * self.random.uniform(6.0, 8.0)))
        if kind == "capacity":
            many = max(60, round(habits.daily * self.random.uniform(1.5, 2.5)))
        hour = self.random.choice((10, 14, 16))
        bill = self.random.randrange(6_100, 30_000)
        for day in days:
            for _ in range(many):
                for trace in self._bent(kind, day, hour, bill):
                    yield day, trace

    def _bent(self, kind: Signal, day: date, hour: int, bill: int) -> Iterator[Trace]:
        trace = self.trace(day, self.random.choice(_HOURS), prompt=kind == "burst")
        bend: dict[str, Callable[[], Trace]] = {
            "hours": lambda: self.trace(day, self.random.choice((0, 1, 2, 3, 4))),
            "capacity": lambda: self.trace(day, hour),
            "amounts": lambda: replace(trace, bill_fen=FACE_FEN if bill % 2 else bill),
            "manual": lambda: replace(trace, manual=True),
        }
        bent = bend[kind]() if kind in bend else trace
        if kind == "reversals":
            yield replace(bent, redemption=HotId(bent.redemption.bucket, self.id()), live=False)
        yield bent


def habits(random: Random) -> Habits:
    """Most are plain; each of the odd but honest kinds is among them."""
    daily = random.randint(8, 45)
    odd = (
        Habits(daily, night=0.12),
        Habits(daily, prompt=0.15),
        Habits(daily, manual=0.15),
        Habits(daily, at_face=0.2),
        Habits(daily, same_bill=0.25),
        Habits(daily, reversed=0.08),
        Habits(daily, regulars=0.12),
        Habits(daily, hourly=40),
    )
    return random.choice(odd) if random.random() < 0.4 else Habits(daily)


def told(seed: int, *, institutions: int = 40, patterns: int = 16) -> Story:
    """Two patterns of each kind by default, each at an institution of its own, over one to three days."""
    random = Random(seed)
    teller = Teller(random)
    story = Story([habits(random) for _ in range(institutions)])
    kinds: tuple[Signal, ...] = (
        "capacity", "burst", "hours", "amounts", "closed_group", "manual", "reversals", "jump",
    )  # fmt: skip
    for number, place in enumerate(random.sample(range(institutions), patterns)):
        kind = kinds[number % len(kinds)]
        length = 5 if kind == "closed_group" else 1 if kind == "jump" else random.randint(1, 3)
        first = FIRST_DAY + timedelta(days=random.randint(FRAUD_FROM, DAYS - length))
        days = [first + timedelta(days=ahead) for ahead in range(length)]
        story.patterns.append(Pattern(number, kind, place, days[0], days[-1]))
        for day, trace in teller.fraud(kind, story.habits[place], days):
            story.marks.append(Mark(place, day, trace, number))
    for place, one in enumerate(story.habits):
        for ahead in range(DAYS):
            day = FIRST_DAY + timedelta(days=ahead)
            story.marks += [Mark(place, day, trace) for trace in teller.honest(one, day)]
    return story


@dataclass(frozen=True, slots=True)
class Outcome:
    """`found`: patterns of whose write-offs at least half are evidence of a case; shares of write-offs."""

    patterns: int
    found: int
    missed: tuple[str, ...]
    fraud_in_cases: float
    fraud_held: float
    honest_held: float
    honest: int

    @override
    def __str__(self) -> str:
        return (
            f"{self.found}/{self.patterns} patterns found ({self.fraud_in_cases:.1%} of their write-offs"
            f" in cases, {self.fraud_held:.1%} held); "
            f"{self.honest_held:.2%} of {self.honest} honest write-offs held"
        )


def weigh(story: Story, evidence: set[HotId], held: set[HotId]) -> Outcome:
    """What the cases found of a story, and what it cost the honest. Only live write-offs can be held."""
    missed = []
    for pattern in story.patterns:
        own = [mark.trace.redemption for mark in story.marks if mark.pattern == pattern.number]
        if sum(one in evidence for one in own) * 2 < len(own):
            missed.append(f"{pattern.kind} at {pattern.institution} from {pattern.first}")
    fraud = [mark.trace for mark in story.marks if mark.pattern is not None]
    honest = [mark.trace for mark in story.marks if mark.pattern is None and mark.trace.live]
    fraud_live = [trace for trace in fraud if trace.live]
    return Outcome(
        patterns=len(story.patterns),
        found=len(story.patterns) - len(missed),
        missed=tuple(missed),
        fraud_in_cases=sum(trace.redemption in evidence for trace in fraud) / len(fraud),
        fraud_held=sum(trace.redemption in held for trace in fraud_live) / len(fraud_live),
        honest_held=sum(trace.redemption in held for trace in honest) / len(honest),
        honest=len(honest),
    )
