"""A story of issuance with a seed: honest hospitals with their oddities, and some that stuff cards.

Honest are campaign days, school classes, assisted desks with one tablet, lunch gaps, quiet weekends, and
platforms that tell the minute or the day only. All numbers are invented, and their reasons stand beside them.
"""

import random
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal

from services.quota.signals.rules import (
    PAST_DAYS,
    PEERS_BEFORE,
    Figures,
    Finding,
    Trace,
    View,
    judge,
    peers_of,
    roll_up,
)
from shared.clock import CHINA

Pattern = Literal["burst", "regular", "unused", "devices"]
PATTERNS: tuple[Pattern, ...] = ("burst", "regular", "unused", "devices")

START = date(2020, 8, 3)


@dataclass(frozen=True, slots=True)
class Card:
    at: datetime
    used: bool
    device: int | None
    stuffed: bool


@dataclass(slots=True)
class CodeDay:
    """A day of a hospital's code: what was scanned, and the cards in the order of time."""

    hospital: int
    day: date
    scans: int = 0
    cards: list[Card] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Planted:
    hospital: int
    pattern: Pattern
    days: tuple[date, ...]


@dataclass(slots=True)
class Story:
    days: list[CodeDay]
    planted: list[Planted]
    hospitals: int

    @property
    def honest(self) -> set[int]:
        return set(range(self.hospitals)) - {one.hospital for one in self.planted}


@dataclass(slots=True)
class _Teller:
    rng: random.Random
    devices: int = 0

    def device(self) -> int:
        self.devices += 1
        return self.devices

    def opening(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """08:00 to 11:45 and 13:30 to 17:15, as clinics are; the lunch gap is real."""
        for first, last in ((time(8), time(11, 45)), (time(13, 30), time(17, 15))):
            yield datetime.combine(day, first, CHINA), datetime.combine(day, last, CHINA)

    def moment(self, day: date) -> datetime:
        """One card in twelve is applied for at home, until late."""
        if self.rng.random() < 1 / 12:
            home = datetime.combine(day, time(18), CHINA)
            return home + timedelta(seconds=self.rng.uniform(0, 5 * 3600))
        first, last = self.rng.choice(list(self.opening(day)))
        return first + (last - first) * self.rng.random()

    def walk_ins(self, day: date, count: int, used: float) -> list[Card]:
        """Everybody with a telephone of their own; a family shares one now and then."""
        cards: list[Card] = []
        while len(cards) < count:
            at, device = self.moment(day), self.device()
            for _ in range(self.rng.choices((1, 2, 4), (85, 12, 3))[0]):
                cards.append(Card(at, self.rng.random() < used, device, stuffed=False))
                at += timedelta(seconds=self.rng.uniform(70, 200))
        return cards[:count]

    def desk(self, day: date, count: int, used: float, device: int) -> list[Card]:
        """A nurse with a tablet, one person after another: a form takes a minute and more."""
        first, last = self.rng.choice(list(self.opening(day)))
        at = first + timedelta(minutes=self.rng.uniform(0, 40))
        cards: list[Card] = []
        while len(cards) < count and at < last:
            cards.append(Card(at, self.rng.random() < used, device, stuffed=False))
            at += timedelta(seconds=max(45.0, self.rng.gauss(110, 38)))
        return cards

    def school(self, day: date, count: int, used: float) -> list[Card]:
        """Classes of forty, each within ten minutes or so, on the parents' telephones; used less."""
        start = datetime.combine(day, time(self.rng.choice((9, 14))), CHINA)
        cards = []
        for pupil in range(count):
            at = (
                start
                + timedelta(minutes=12 * (pupil // 40))
                + timedelta(seconds=self.rng.expovariate(1 / 240))
            )
            cards.append(Card(at, self.rng.random() < used * 0.6, self.device(), stuffed=False))
        return cards

    def stuffed(self, pattern: Pattern, day: date, honest: int) -> tuple[list[Card], int]:
        """The cards that somebody made up, and the scans that came with them."""
        rng = self.rng
        start = datetime.combine(day, time(rng.randrange(8, 17)), CHINA) + timedelta(
            minutes=rng.uniform(0, 50)
        )
        if pattern == "burst":
            # Ten minutes with a list of id numbers, and hardly a scan.
            count = rng.randrange(60, 160)
            offsets = sorted(rng.uniform(0, 560) for _ in range(count))
            return [self._made(start, offset, self.device()) for offset in offsets], count // 12
        if pattern == "regular":
            # A loop that sleeps; the network makes it waver by some percent. Its scans are made up too.
            count, period = rng.randrange(40, 110), rng.uniform(20, 120)
            at, offsets = 0.0, []
            for _ in range(count):
                at += period * rng.uniform(0.97, 1.03)
                offsets.append(at)
            return [self._made(start, offset, self.device()) for offset in offsets], count
        if pattern == "devices":
            cards = []
            for _ in range(rng.randrange(2, 5)):
                farm, at = self.device(), rng.uniform(0, 3600)
                for _ in range(rng.randrange(14, 40)):
                    cards.append(self._made(start, at, farm))
                    at += rng.uniform(6, 26)
            return cards, len(cards)
        count = round(honest * rng.uniform(2, 4)) + 30
        cards = [
            Card(self.moment(day), rng.random() < 0.02, self.device(), stuffed=True) for _ in range(count)
        ]
        return cards, count

    def _made(self, start: datetime, offset: float, device: int) -> Card:
        at = start + timedelta(seconds=offset)
        return Card(at, self.rng.random() < 0.02, device, stuffed=True)


def story(
    seed: int,
    *,
    hospitals: int = 48,
    days: int = 42,
    each: int = 4,
    tells_devices: bool = True,
    scale: float = 1.0,
) -> Story:
    """`each` hospitals stuff cards by each pattern, on three to five days."""
    rng = random.Random(seed)
    teller = _Teller(rng)
    calendar = [START + timedelta(days=number) for number in range(days)]
    campaign = set(rng.sample(calendar, 3))
    planted = [
        Planted(hospital, pattern, tuple(sorted(rng.sample(calendar[7:], rng.randrange(3, 6)))))
        for hospital, pattern in zip(rng.sample(range(hospitals), 4 * each), PATTERNS * each, strict=True)
    ]
    bad = {(one.hospital, day): one.pattern for one in planted for day in one.days}
    told = []
    for hospital in range(hospitals):
        usual, used, scanning = (
            scale * rng.lognormvariate(3.6, 0.7),
            rng.uniform(0.27, 0.5),
            rng.uniform(1.1, 2.6),
        )
        has_desk, schools = rng.random() < 0.4, rng.random() < 0.25
        coarse = rng.choices(("second", "minute", "day"), (94, 4, 2))[0]
        tablet = teller.device()
        for day in calendar:
            count = round(usual * rng.uniform(0.6, 1.4) * (0.3 if day.weekday() > 4 else 1))
            count = round(count * rng.uniform(4, 7)) if day in campaign else count
            one = CodeDay(hospital, day)
            one.cards += teller.walk_ins(day, count, used)
            if has_desk and day.weekday() < 5:
                one.cards += teller.desk(day, rng.randrange(10, 60), used, tablet)
            if schools and rng.random() < 0.08:
                one.cards += teller.school(day, rng.randrange(60, 240), used)
            one.scans = round(len(one.cards) * scanning)
            if (hospital, day) in bad:
                made, scans = teller.stuffed(bad[hospital, day], day, count)
                one.cards += made
                one.scans += scans
            one.cards = sorted((_told(card, coarse, tells_devices) for card in one.cards), key=lambda c: c.at)
            told.append(one)
    return Story(told, planted, hospitals)


def _told(card: Card, coarse: str, tells_devices: bool) -> Card:  # noqa: FBT001 - of a story
    at = card.at
    if not card.stuffed and coarse != "second":
        at = at.replace(second=0, microsecond=0)
        at = at.replace(hour=0, minute=0) if coarse == "day" else at
    return Card(at.replace(microsecond=0), card.used, card.device if tells_devices else None, card.stuffed)


def judged(
    told: Story, wanted: Collection[tuple[int, date]] | None = None
) -> dict[tuple[int, date], list[Finding]]:
    """What the signals find in each day of each code (or the wanted ones), when all cards had their time."""
    figures: dict[int, dict[date, Figures]] = defaultdict(dict)
    traces: dict[tuple[int, date], list[Trace]] = {}
    for one in told.days:
        seen = [Trace(number, card.at, card.used, card.device) for number, card in enumerate(one.cards)]
        traces[one.hospital, one.day] = seen
        figures[one.hospital][one.day] = roll_up(seen, one.scans)
    days = sorted(figures[0])
    peers = {
        day: peers_of(
            [theirs[day] for theirs in figures.values()],
            [
                _summed([theirs[at] for at in days if day - PEERS_BEFORE <= at <= day])
                for theirs in figures.values()
            ],
        )
        for day in days
    }
    return {
        (hospital, day): judge(
            View(
                traces=traces[hospital, day],
                figures=figures[hospital][day],
                past=[figures[hospital][at] for at in days if at < day and (day - at).days <= PAST_DAYS],
                peers=peers[day],
                mature=True,
            )
        )
        for hospital, day in traces
        if wanted is None or (hospital, day) in wanted
    }


def _summed(days: list[Figures]) -> Figures:
    return Figures(sum(day.issued for day in days), sum(day.used for day in days), 0, 0)
