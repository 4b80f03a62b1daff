"""Plays the scenes one after the other, each in a town of its own, and ends with the integrity check."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.hotpath.opening import opened
from bench.rows import Row, Void
from bench.scenes import rush
from bench.scenes.burst import Burst
from bench.scenes.dashboards import Dashboards
from bench.scenes.growth import Growth
from bench.scenes.rush import Rush
from bench.scenes.stage import Stage
from bench.scenes.store import filling
from bench.simulator.clerks import Clerks
from bench.simulator.platform import Platform
from shared.crypto import Keys

# Stock of the scenes in which it is not what matters.
_PLENTY = 1_000_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """`seconds` is one leg of a pair; `vouchers` is how many the table grows to."""

    pairs: int
    seconds: float
    people: int
    rushes: int
    vouchers: int


SHORT = Sizes(pairs=5, seconds=4.0, people=20_000, rushes=1, vouchers=1_000_000)
FULL = Sizes(pairs=7, seconds=10.0, people=20_000, rushes=5, vouchers=10_000_000)


@dataclass(slots=True)
class ScenesRun:
    """`rows` fill as the scenes are played. A scene in which an item is lost or doubled raises Void."""

    platform: Platform
    clerks: Clerks
    port: int
    database_url: str
    keys: Keys
    definition: dict[str, Any]
    questions: list[dict[str, Any]]
    say: Callable[[str], None]
    sizes: Sizes = SHORT
    rows: list[Row] = field(default_factory=list)
    integrity_ok: bool = False

    async def run(self) -> None:
        sizes = self.sizes
        async with self._stage(_PLENTY) as stage:
            self.rows.append(await Burst(stage, sizes.pairs, sizes.seconds).measure())
        pieces, others = rush.stock_of(sizes.people)
        rushes = []
        for _ in range(sizes.rushes):
            async with self._stage(pieces, others) as stage:
                rushes.append(await Rush(stage, sizes.people).measure())
        self.rows += rush.over_all(rushes)
        async with self._stage(_PLENTY) as stage:
            programme = await self._programme()
            self.rows.append(await Dashboards(stage, sizes.pairs, sizes.seconds, programme).measure())
        await self._check()
        async with self._stage(sizes.vouchers + _PLENTY) as stage:
            self.rows.append(await Growth(stage, sizes.vouchers).measure())
        await self._check()

    @asynccontextmanager
    async def _stage(self, pieces: int, others: dict[str, int] | None = None) -> AsyncIterator[Stage]:
        async with (
            opened(
                platform=self.platform,
                clerks=self.clerks,
                port=self.port,
                database_url=self.database_url,
                keys=self.keys,
                definition=self.definition,
                questions=self.questions,
                pieces=pieces,
                others=others,
            ) as town,
            filling(self.database_url) as filler,
        ):
            yield Stage(town, filler, self.say)

    async def _programme(self) -> str:
        """A programme of cards with hospitals, for the dashboards of the third service."""
        slug = f"bench-{secrets.token_hex(4)}"
        definition = {
            "slug": slug,
            "title": "发卡任务",
            "timezone": "Asia/Shanghai",
            "target_cards": 165_000,
            "issued_before": {"as_of": "2020-07-31", "cards": 0},
            "remaining_exact": 165_000,
        }
        staff = self.clerks.first
        await self.platform.post("/quota/v1/programmes", definition, headers=staff)
        rows = "\n".join(f"A{number % 5},医院{number},{100 + number}" for number in range(37))
        await self.platform.upload(
            f"/quota/v1/programmes/{slug}/hospitals/import",
            name="hospitals.csv",
            content=f"alliance,hospital,visits\n{rows}\n".encode(),
            headers=staff,
        )
        return slug

    async def _check(self) -> None:
        """Raises Void when anything was lost, doubled or oversold."""
        report = await self.clerks.integrity()
        self.integrity_ok = bool(report["ok"])
        if not self.integrity_ok:
            broken = [f"{check['name']}: {check['detail']}" for check in report["checks"] if not check["ok"]]
            raise Void(f"integrity: {'; '.join(broken)}")
        self.say(f"integrity: {len(report['checks'])} checks are in order")
