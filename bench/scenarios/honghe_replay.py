"""Plays the published four days of Honghe over HTTP and compares what came out with what was published."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from bench.scenarios.honghe_plan import Plan, PlannedAttempt, binomial_band, make_plan, shifted, wishes
from bench.simulator.citizens import AnswerKey, Citizen
from bench.simulator.clerks import Clerks
from bench.simulator.platform import Platform

SEED = 20201101
# So many citizens at once; more only queue up on two cores.
CONCURRENT = 24

# Told what is being done and how much of it there is; returns what to call for each step done.
Stage = Callable[[str, int], Callable[[int], None]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the comparison. `ok` is None where the report cannot be compared."""

    figure: str
    published: str
    reproduced: str
    ok: bool | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    slug: str
    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        return all(row.ok is not False for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        return {"campaign": self.slug, "ok": self.ok, "rows": [asdict(row) for row in self.rows]}


@dataclass(frozen=True, slots=True)
class _Game:
    slug: str
    key: AnswerKey
    types: tuple[str, ...]


@dataclass(slots=True)
class HongheReplay:
    platform: Platform
    clerks: Clerks
    definition: Mapping[str, Any]
    published: Mapping[str, Any]
    questions: Sequence[Mapping[str, Any]]
    stage: Stage

    async def run(self, scale: float) -> Comparison:
        plan = make_plan(self.published, scale=scale, seed=SEED)
        campaign = await self._publish()
        opens = datetime.fromisoformat(campaign["phases"][0]["opens_at"])
        citizens = [Citizen(self.platform, number) for number in range(plan.persons)]
        for number, day in enumerate(plan.days):
            # The first day begins at the opening; the next ones at eight in the morning.
            start = opens if number == 0 else opens.replace(hour=8) + timedelta(days=number)
            await self.clerks.move_clock(start)
            await self._play_day(campaign, f"第{number + 1}天 day {number + 1}", day, citizens)
        return await self._compare(campaign["slug"], plan)

    async def _publish(self) -> dict[str, Any]:
        """A campaign of its own on a platform that may have others: free slug, phases ahead of now."""
        known = {item["slug"] for item in (await self.platform.get("/issuance/v1/campaigns"))["items"]}
        slug, number = str(self.definition["slug"]), 1
        while slug in known:
            number += 1
            slug = f"{self.definition['slug']}-{number}"
        campaign = shifted(self.definition, await self.clerks.clock(), slug)
        await self.clerks.load_campaign(campaign, [dict(question) for question in self.questions])
        return campaign

    async def _play_day(
        self,
        campaign: Mapping[str, Any],
        name: str,
        day: Sequence[Sequence[PlannedAttempt]],
        citizens: Sequence[Citizen],
    ) -> None:
        types = tuple(voucher_type["key"] for voucher_type in campaign["voucher_types"])
        game = _Game(campaign["slug"], AnswerKey(self.questions), types)
        advance = self.stage(name, sum(len(visit) for visit in day))
        waiting = iter(enumerate(day))

        async def worker() -> None:
            for place, visit in waiting:
                rng = Random(f"{SEED}/{name}/{place}")
                await self._visit(game, citizens[visit[0].person], visit, rng)
                advance(len(visit))

        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENT):
                group.create_task(worker())

    async def _visit(
        self, game: "_Game", citizen: Citizen, visit: Sequence[PlannedAttempt], rng: Random
    ) -> None:
        if not citizen.headers:
            await citizen.sign_in()
        for attempt in visit:
            result = await citizen.take_quiz(game.slug, game.key, should_pass=attempt.passes, rng=rng)
            if result["passed"] != attempt.passes:
                raise AssertionError(f"citizen {citizen.number} was marked otherwise than planned: {result}")
            if attempt.passes:
                await self._draw_and_claim(game, citizen, rng)

    async def _draw_and_claim(self, game: "_Game", citizen: Citizen, rng: Random) -> None:
        if not citizen.verified:
            await citizen.bind_identity()
        drawn = await citizen.draw(game.slug)
        if drawn["won"]:
            wished = wishes(rng, self.published["issued_by_type"], game.types)
            await citizen.claim(drawn["award"]["id"], wished)

    async def _compare(self, slug: str, plan: Plan) -> Comparison:
        path = f"/issuance/v1/metrics?campaign={slug}"
        metrics = await self.platform.get(path, headers=self.clerks.first)
        published = self.published
        odds = float(published["announced_odds"])
        low, high = binomial_band(metrics["draws"], odds)
        rows = [
            _exact("答题人次 quiz attempts", published["quiz_attempts"], metrics["attempts"], plan.attempts),
            _exact("抽奖机会 draw chances", published["draw_chances"], metrics["chances"], plan.chances),
            Row(
                "中奖 wins",
                "",
                f"{metrics['wins']:,} ({metrics['wins'] / max(metrics['draws'], 1):.1%})",
                low <= metrics["wins"] <= high,
                f"99.9 % band of the announced {odds:.0%}: {low}–{high}",
            ),
            _published_wins(published),
            Row(
                "消费券 vouchers issued",
                f"{published['vouchers_issued']:,}",
                f"{metrics['vouchers_issued']:,}",
                metrics["vouchers_issued"] == metrics["wins"] - metrics["awards_open"],
                "every win was claimed: nothing was out of stock",
            ),
            *_by_type(published, Counter(metrics["issued_by_type"])),
        ]
        return Comparison(slug, tuple(rows))


def _exact(figure: str, published: int, reproduced: int, planned: int) -> Row:
    note = "" if planned == published else f"at this scale {planned:,} were planned"
    return Row(figure, f"{published:,}", f"{reproduced:,}", reproduced == planned, note)


def _published_wins(published: Mapping[str, Any]) -> Row:
    """What the report itself says, held against the odds it announced."""
    chances, issued = published["draw_chances"], published["vouchers_issued"]
    odds = float(published["announced_odds"])
    low, high = binomial_band(chances, odds, sigmas=1.96)
    inside = low <= issued <= high
    return Row(
        "公布的中奖率 published win rate",
        f"{issued:,} of {chances:,} ({issued / chances:.1%})",
        f"expected {chances * odds:.0f}",
        None,
        f"the published {issued} {'lies' if inside else 'does not lie'} in the 95 % band {low}–{high}"
        f" of the announced {odds:.0%}",
    )


def _by_type(published: Mapping[str, Any], reproduced: Counter[str]) -> list[Row]:
    """Vouchers by type; the report's parts do not add up to its total, and this says so."""
    parts: Mapping[str, int] = published["issued_by_type"]
    general = reproduced["general_50"] + reproduced["general_100"]
    made = {**reproduced, "general": general}
    rows = [Row(f"  {kind}", f"{count:,}", f"{made.get(kind, 0):,}", None) for kind, count in parts.items()]
    total, stated = sum(parts.values()), published["vouchers_issued"]
    own_total = sum(reproduced.values())
    rows.append(
        Row(
            "各项之和 sum of the types",
            f"{total:,}",
            f"{own_total:,}",
            None,
            f"the published types add up to {total}, not to the published {stated}; ours add up",
        )
    )
    return rows
