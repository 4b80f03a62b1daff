"""Honghe: the first ten days of the campaign by a few hundred people, from the quiz to the till and back."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bench.scenarios.honghe_books import Books, Holding
from bench.scenarios.honghe_counters import HongheCounters
from bench.scenarios.honghe_days import newcomers, visits
from bench.scenarios.honghe_office import HongheOffice
from bench.scenarios.honghe_people import HonghePeople
from bench.scenarios.honghe_settlement import HongheSettlement
from bench.scenarios.story import Stage, Story
from bench.simulator.citizens import AnswerKey
from bench.simulator.clerks import Clerks
from bench.simulator.platform import Platform

# Longer than it takes an issued voucher's notice to be due; the clock only moves forward.
_AFTER_OPENING = timedelta(minutes=5)
_AFTERNOON_HOUR = 16
# The clock is moved to every morning, but to every fourth afternoon only: each move takes a second.
_AFTERNOON_EACH = 4
# Three of four of those in people's hands go to a till when tills open.
_SPECIAL_MIN = 2
_USED_SHARE = 0.75
# So many write-offs of one till within minutes of being issued are no queue any more.
_BURST = 10
_UPLOADED = 4


@dataclass(slots=True)
class HongheStory:
    platform: Platform
    clerks: Clerks
    definition: Mapping[str, Any]
    questions: Sequence[dict[str, Any]]
    directory: Sequence[dict[str, Any]]
    stage: Stage
    story: Story
    days: int
    institution_ids: list[str] = field(default_factory=list)

    @property
    def slug(self) -> str:
        return str(self.definition["slug"])

    async def load(self) -> None:
        advance = self.stage("红河消费券活动 Honghe campaign", len(self.directory) + 1)
        await self.clerks.load_campaign(dict(self.definition), self.questions)
        advance(1)
        self.institution_ids = await self.clerks.load_institutions(self.slug, self.directory, advance)

    async def play(self) -> None:
        """Walks the clock from day to day; people take part, win, choose and use their vouchers."""
        await _Walk.through(self)

    async def settle(self, books: Books, opens: datetime, last: int) -> None:
        """The days up to `last`, as the bureau pays them."""
        settlement = HongheSettlement(self.platform, self.clerks, self.slug, self.stage, self.story)
        await settlement.play(
            opens.date(),
            opens.date() + timedelta(days=last),
            institutions=books.by_institution(until=last),
            applied_fen=books.fen_by_institution(until=last),
        )

    async def check(self, books: Books) -> None:
        query = f"metrics?campaign={self.slug}"
        issuance = await self.platform.get(f"/issuance/v1/{query}", headers=self.clerks.first)
        redemption = await self.platform.get(f"/redemption/v1/{query}", headers=self.clerks.first)
        check = self.story.check
        check("quiz attempts", books.attempts, issuance["attempts"])
        check("passed", books.passed, issuance["passed"])
        check("draws", books.draws, issuance["draws"])
        check("wins", books.won, issuance["wins"])
        check("days with participation", self.days, sum(day["attempts"] > 0 for day in issuance["daily"]))
        check("vouchers issued by type", dict(books.issued), _nonzero(issuance["issued_by_type"]))
        await self._check_ways(books)
        check("redeemed", len(books.used), redemption["redeemed"])
        check("reversed", books.reversed, redemption["reversed"])
        check("applied (fen)", books.applied_fen, redemption["applied_fen"])
        by_source = redemption["by_funding_source"]
        check("applied, summed over the payers (fen)", books.applied_fen, sum(by_source.values()))
        by_institution = {
            item["institution_id"]: item["count"] for item in redemption["by_institution"] if item["count"]
        }
        check("write-offs by institution", books.by_institution(), by_institution)

    async def _check_ways(self, books: Books) -> None:
        path = f"/issuance/v1/campaigns/{self.slug}/activities/figures"
        ways = (await self.platform.get(path, headers=self.clerks.first))["channels"]
        accepted = {way["channel"]: way["accepted"] for way in ways if way["channel"] != "quiz"}
        self.story.check("accepted by way", _nonzero(books.accepted), _nonzero(accepted))
        self.story.check("waiting for review", books.waiting, sum(way["pending"] for way in ways))


class _Walk:
    """One run through the days."""

    def __init__(self, story: HongheStory) -> None:
        self.of = story
        self.books = Books()
        counties = list(dict.fromkeys(str(entry["county"]) for entry in story.directory))
        types = [voucher_type["key"] for voucher_type in story.definition["voucher_types"]]
        key = AnswerKey(story.questions)
        self.people = HonghePeople(story.platform, story.slug, key, types, counties, self.books)
        self.counters = HongheCounters(
            story.platform, story.clerks, story.directory, story.institution_ids, self.books
        )
        self.office = HongheOffice(story.platform, story.clerks, story.slug, self.people)
        self.opens = datetime.fromisoformat(story.definition["phases"][0]["opens_at"])
        self.burst_day = story.days - 3
        self.settling_day = story.days - 2
        self.last_settled = story.days - 4
        # Holdings that are not used yet and may be, oldest first.
        self.unused: list[Holding] = []
        self.special_seen = False

    @classmethod
    async def through(cls, story: HongheStory) -> None:
        walk = cls(story)
        planned = visits(story.days)
        events = await walk.office.prepare_events(walk.opens, story.days)
        await walk.office.exclude()
        rejected = await walk.office.import_lists(story.directory, story.questions)
        bad = walk.office.bad_rows
        story.story.check("rows of lists rejected", dict.fromkeys(rejected, bad), rejected)
        advance = story.stage("十天活动 ten days: quiz → draw → claim → write-off", story.days)
        for day, coming in enumerate(planned):
            morning = walk.opens + timedelta(days=day) + _AFTER_OPENING
            async with asyncio.TaskGroup() as group:
                group.create_task(story.clerks.move_clock(morning))
                group.create_task(walk.people.arrive(newcomers(planned, day)))
            await walk.office.review()
            keeps = day in (walk.burst_day - 1, walk.burst_day)
            await walk.people.take_part(coming, day, event=events[day], keep_awards=keeps)
            await walk._counters_open(day)
            advance(1)
        await walk.office.statistics()
        await walk.office.proposals()
        await story.check(walk.books)

    async def _counters_open(self, day: int) -> None:
        if day == self.burst_day:
            await self.counters.burst(self.people, day, _BURST)
            await self.people.choose_late(day - 1, day)
        if day == self.settling_day:
            await self.of.settle(self.books, self.opens, self.last_settled)
        afternoon = day % _AFTERNOON_EACH == 0 and day < self.of.days - 1
        if afternoon:
            noon = self.opens + timedelta(days=day)
            await self.of.clerks.move_clock(noon.replace(hour=_AFTERNOON_HOUR, minute=20))
        # Nobody runs from the draw to the till: in the morning only older vouchers are used.
        ready = self._taken(day if afternoon else day - 1)
        if day >= self.settling_day and not self.special_seen:
            ready = await self._special(ready, day)
        await self.counters.use(ready, day)
        if afternoon:
            await self.counters.close_day(day)

    def _taken(self, until: int) -> list[Holding]:
        """Those who go to a till now, of the vouchers claimed up to that day."""
        fresh = [one for one in self.people.holdings if one.day <= until]
        self.people.holdings = [one for one in self.people.holdings if one.day > until]
        self.unused += fresh
        ready = self.unused[: round(len(self.unused) * _USED_SHARE)]
        self.unused = self.unused[len(ready) :]
        return ready

    async def _special(self, ready: list[Holding], day: int) -> list[Holding]:
        """One by id number; some while the line was down, among them one that is used elsewhere as well.

        Returns who is left. It takes two who have not used their vouchers: when luck left fewer, it waits for
        the day after.
        """
        waiting = [*ready, *self.unused]
        if len(waiting) < _SPECIAL_MIN:
            return ready
        self.special_seen = True
        manual, again, *rest = waiting
        await self.counters.by_id_number(manual, day)
        await self.counters.use([again], day, reversing=False)
        alike = [one for one in rest if one.voucher_type == again.voucher_type][:_UPLOADED]
        await self.counters.upload(alike, again, day)
        self.of.story.check("offline conflicts", 1, self.books.conflicts)
        gone = (manual, again, *alike)
        self.unused = [one for one in self.unused if one not in gone]
        return [one for one in ready if one not in gone]


def _nonzero(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
