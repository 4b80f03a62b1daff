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
# Everybody comes, and many with a voucher that they won a minute ago: a campaign's day, at every institution.
CAMPAIGN_DAY = FIRST_DAY + timedelta(days=14)
# Numbers of places that many share: carriers on a day, waiting rooms, offices.
_CARRIERS, _ROOMS = 1_000_000_000, 2_000_000_000
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
    # Who claims in the waiting room, on the house's own network.
    waiting_room: float = 0.0


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
    """`hard` names the honest institutions of which something looks like fraud and is none."""

    habits: list[Habits]
    hard: dict[int, str] = field(default_factory=dict)
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
            device=self.serial if holder is None else holder,
            place=self.place_of(at - waited),
        )

    def place_of(self, claimed: datetime) -> int:
        """Most claim through one of three carriers, whose addresses thousands share; others at home."""
        if self.share(0.6):
            return _CARRIERS + claimed.toordinal() * 3 + self.random.randrange(3)
        return self.serial

    def honest(self, habits: Habits, day: date) -> Iterator[Trace]:
        crowd = 1.8 if day == FIRST_DAY else 1.3 if day.weekday() < 5 else 0.8
        if day == CAMPAIGN_DAY:
            crowd, habits = 3.0, replace(habits, prompt=max(0.3, habits.prompt))
        for _ in range(round(self.random.gauss(habits.daily * crowd, habits.daily**0.5))):
            night = self.share(habits.night)
            hour = self.random.choice((23, 0, 5)) if night else self.random.choice(_HOURS)
            holder = self.random.randrange(12) if self.share(habits.regulars) else None
            trace = self.trace(day, hour, prompt=self.share(habits.prompt), holder=holder)
            if self.share(habits.waiting_room):
                trace = replace(trace, place=_ROOMS + trace.issued_at.toordinal())
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
        match kind:
            case "closed_group":
                yield from self._ring(days)
            case "shared_device" | "shared_address":
                yield from self._broker(kind, days)
            case _:
                yield from self._beside(kind, habits, days)

    def _ring(self, days: list[date]) -> Iterator[tuple[date, Trace]]:
        ring = [self.random.getrandbits(40) for _ in range(self.random.randint(6, 10))]
        for day in days:
            for holder in ring:
                if self.share(0.93):
                    yield day, self.trace(day, self.random.choice(_HOURS), holder=holder)

    def _beside(self, kind: Signal, habits: Habits, days: list[date]) -> Iterator[tuple[date, Trace]]:
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

    def _broker(self, kind: Signal, days: list[date]) -> Iterator[tuple[date, Trace]]:
        """Claims for dozens on a few phones, or in one room, and has it all used at one institution."""
        for _ in range(self.random.randint(2, 3)):
            number = -self.random.getrandbits(40)
            for _ in range(self.random.randint(14, 24)):
                day = self.random.choice(days)
                trace = self.trace(day, self.random.choice(_HOURS))
                if kind == "shared_device":
                    yield day, replace(trace, device=number)
                else:
                    yield day, replace(trace, place=number)

    def outing(self, day: date) -> Iterator[Trace]:
        """A company that goes out: forty people claim at the office, and all of them pay in one hour."""
        office = _ROOMS - day.toordinal()
        for _ in range(40):
            yield replace(self.trace(day, 18), place=office)

    def bulk(self, day: date) -> Iterator[Trace]:
        """A company's check-ups: eighty employees in one morning, no bill, claimed the day before."""
        office = _ROOMS - 10_000 - day.toordinal()
        for _ in range(80):
            trace = self.trace(day, self.random.choice((8, 8, 9, 9, 10)))
            yield replace(
                trace, place=office, bill_fen=None, issued_at=trace.redeemed_at - timedelta(hours=20)
            )

    def village(self, day: date) -> Iterator[Trace]:
        """Three households that have nowhere else to go; a daughter claims for all of them on her phone."""
        for holder in (-1, -2, -3):
            if self.share(0.5):
                yield replace(self.trace(day, self.random.choice(_HOURS), holder=holder), device=-9)

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


def told(seed: int, *, institutions: int = 40, patterns: int = 20) -> Story:
    """Two patterns of each kind by default, each at an institution of its own, over one to three days.

    Beside them three institutions that are hard to judge and honest: a hospital with bulk check-ups, a
    restaurant with a company's outing, a village shop of three households; and a campaign day for all.
    """
    random = Random(seed)
    teller = Teller(random)
    story = Story([habits(random) for _ in range(institutions)])
    kinds: tuple[Signal, ...] = (
        "capacity", "burst", "hours", "amounts", "closed_group", "manual", "reversals", "jump",
        "shared_device", "shared_address",
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
    _hard(story, teller)
    return story


def _hard(story: Story, teller: Teller) -> None:
    """Adds the honest ones that are hard to judge."""
    hospital, restaurant, village = (len(story.habits) + more for more in range(3))
    story.habits += [
        Habits(daily=110, waiting_room=0.3, prompt=0.12),
        Habits(daily=35),
        Habits(daily=0),
    ]
    story.hard |= {hospital: "bulk check-ups", restaurant: "company outing", village: "village shop"}
    for ahead in range(DAYS):
        day = FIRST_DAY + timedelta(days=ahead)
        for place in (hospital, restaurant):
            story.marks += [Mark(place, day, trace) for trace in teller.honest(story.habits[place], day)]
        if ahead in (10, 16):
            story.marks += [Mark(hospital, day, trace) for trace in teller.bulk(day)]
        if ahead == 12:
            story.marks += [Mark(restaurant, day, trace) for trace in teller.outing(day)]
        story.marks += [Mark(village, day, trace) for trace in teller.village(day)]


# What a test asks of the signals.
FOUND_AT_LEAST, HONEST_HELD_AT_MOST = 0.9, 0.01


@dataclass(frozen=True, slots=True)
class Outcome:
    """`found`: patterns of whose write-offs at least half are evidence of a case; shares of write-offs.

    `by_own` tells for each kind how many of its patterns its own signal found, of how many; `hard_held` how
    many write-offs of the honest institutions that are hard to judge are held, of how many.
    """

    patterns: int
    found: int
    missed: tuple[str, ...]
    by_own: dict[Signal, tuple[int, int]]
    fraud_in_cases: float
    fraud_held: float
    honest_held: float
    honest: int
    hard_held: dict[str, tuple[int, int]]

    @property
    def good(self) -> bool:
        """Nine of ten found, hardly anything honest held, and no kind of fraud that its signal overlooks."""
        return (
            self.found / self.patterns >= FOUND_AT_LEAST
            and self.honest_held <= HONEST_HELD_AT_MOST
            and all(2 * found >= told for found, told in self.by_own.values())
        )

    @override
    def __str__(self) -> str:
        hard = ", ".join(f"{name} {held}/{told}" for name, (held, told) in self.hard_held.items())
        return (
            f"{self.found}/{self.patterns} patterns found ({self.fraud_in_cases:.1%} of their write-offs"
            f" in cases, {self.fraud_held:.1%} held); "
            f"{self.honest_held:.2%} of {self.honest} honest write-offs held ({hard})"
        )


Evidence = dict[Signal, set[HotId]]


def weigh(story: Story, evidence: Evidence, held: set[HotId]) -> Outcome:
    """What the cases found of a story, and what it cost the honest. Only live write-offs can be held."""
    every = set[HotId]().union(*evidence.values())
    missed = []
    by_own: dict[Signal, tuple[int, int]] = {}
    written: dict[int, list[HotId]] = {}
    for mark in story.marks:
        if mark.pattern is not None:
            written.setdefault(mark.pattern, []).append(mark.trace.redemption)
    for pattern in story.patterns:
        own = written[pattern.number]
        if sum(one in every for one in own) * 2 < len(own):
            missed.append(f"{pattern.kind} at {pattern.institution} from {pattern.first}")
        found, told_of = by_own.get(pattern.kind, (0, 0))
        by = sum(one in evidence.get(pattern.kind, ()) for one in own) * 2 >= len(own)
        by_own[pattern.kind] = found + by, told_of + 1
    fraud = [mark.trace for mark in story.marks if mark.pattern is not None]
    honest = [mark for mark in story.marks if mark.pattern is None and mark.trace.live]
    fraud_live = [trace for trace in fraud if trace.live]
    hard_held = {}
    for place, name in story.hard.items():
        there = [mark.trace.redemption in held for mark in honest if mark.institution == place]
        hard_held[name] = sum(there), len(there)
    return Outcome(
        patterns=len(story.patterns),
        found=len(story.patterns) - len(missed),
        missed=tuple(missed),
        by_own=by_own,
        fraud_in_cases=sum(trace.redemption in every for trace in fraud) / len(fraud),
        fraud_held=sum(trace.redemption in held for trace in fraud_live) / len(fraud_live),
        honest_held=sum(mark.trace.redemption in held for mark in honest) / len(honest),
        honest=len(honest),
        hard_held=hard_held,
    )
