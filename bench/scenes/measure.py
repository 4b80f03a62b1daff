"""The scenes, each in a town of its own; growth comes last, since it fills the tables for good.

After each one stands the integrity check: a run in which an item was lost, doubled or oversold is void.
"""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bench.ground import Ground
from bench.rows import Row
from bench.scenes import rush
from bench.scenes.burst import Burst
from bench.scenes.dashboards import Dashboards
from bench.scenes.growth import Growth
from bench.scenes.rush import Rush
from bench.scenes.stage import Stage
from bench.scenes.store import filling
from bench.suite import require_integrity

# Stock of the scenes in which it is not what matters.
_PLENTY = 1_000_000
_HOSPITALS = 37
_METRICS_TOKEN = "HV_METRICS_TOKEN"  # noqa: S105 - the setting's name


async def burst(ground: Ground) -> list[Row]:
    async with _stage(ground, _PLENTY) as stage:
        row = await Burst(stage, ground.sizes.rounds, ground.sizes.leg_seconds).measure()
    await require_integrity(ground)
    return [row]


async def opening_rush(ground: Ground) -> list[Row]:
    pieces, others = rush.stock_of(ground.sizes.rush)
    rushes = []
    for _ in range(ground.sizes.rushes):
        async with _stage(ground, pieces, others) as stage:
            rushes.append(await Rush(stage, ground.sizes.rush).measure())
    await require_integrity(ground)
    return rush.over_all(rushes)


async def dashboards(ground: Ground) -> list[Row]:
    programme, token = await _programme(ground), ground.settings[_METRICS_TOKEN]
    async with _stage(ground, _PLENTY) as stage:
        row = await Dashboards(
            stage, ground.sizes.rounds, ground.sizes.leg_seconds, programme, token
        ).measure()
    await require_integrity(ground)
    return [row]


async def growth(ground: Ground) -> list[Row]:
    """The check of its many vouchers is the run's own, at its end."""
    async with _stage(ground, ground.sizes.vouchers + _PLENTY) as stage:
        return [await Growth(stage, ground.sizes.vouchers).measure()]


@asynccontextmanager
async def _stage(
    ground: Ground, pieces: int, others: Mapping[str, int] | None = None
) -> AsyncIterator[Stage]:
    async with (
        ground.town(pieces=pieces, others=others) as town,
        filling(ground.database_url) as filler,
    ):
        yield Stage(town, filler, ground.say)


async def _programme(ground: Ground) -> str:
    """A programme of cards with hospitals, for the dashboards of the third service."""
    slug, staff = f"bench-{secrets.token_hex(4)}", ground.clerks.first
    definition = {
        "slug": slug,
        "title": "发卡任务",
        "timezone": "Asia/Shanghai",
        "target_cards": 165_000,
        "issued_before": {"as_of": "2020-07-31", "cards": 0},
        "remaining_exact": 165_000,
    }
    await ground.platform.post("/quota/v1/programmes", definition, headers=staff)
    rows = "\n".join(f"A{number % 5},医院{number},{100 + number}" for number in range(_HOSPITALS))
    await ground.platform.upload(
        f"/quota/v1/programmes/{slug}/hospitals/import",
        name="hospitals.csv",
        content=f"alliance,hospital,visits\n{rows}\n".encode(),
        headers=staff,
    )
    return slug
