"""Opens a town: publishes its campaign, moves the clock into the phase, activates the tills."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from bench.hotpath.store import beside
from bench.hotpath.town import VOUCHER_TYPE, Town
from bench.scenarios.honghe_plan import shifted
from bench.simulator.cashiers import Till, activated
from bench.simulator.clerks import Clerks
from bench.simulator.platform import Platform
from shared.crypto import Keys
from shared.db import Database

TILLS = 8
# An attempt may wait for its turn in the run.
_QUIZ_SECONDS = 86_400


@asynccontextmanager
async def opened(
    *,
    platform: Platform,
    clerks: Clerks,
    port: int,
    database_url: str,
    keys: Keys,
    definition: dict[str, Any],
    questions: Sequence[dict[str, Any]],
    pieces: int,
    odds: float = 1,
    others: Mapping[str, int] | None = None,
) -> AsyncIterator[Town]:
    """Publishes a campaign with so many vouchers of one type, opens its phase, and activates the tills.

    `others` are pieces of further types.
    """
    slug = f"bench-{secrets.token_hex(4)}"
    campaign = shifted(definition, await clerks.clock(), slug)
    first, stock = campaign["phases"][0], {VOUCHER_TYPE: pieces, **(others or {})}
    first |= {"odds": odds, "stock": stock}
    first["quiz"] = {**first["quiz"], "time_limit_seconds": _QUIZ_SECONDS}
    campaign |= {"phases": [first], "budget_fen": sum(stock.values()) * 10_000}
    await clerks.load_campaign(campaign, questions)
    await clerks.move_clock(datetime.fromisoformat(first["opens_at"]) + timedelta(minutes=1))
    tills = await _tills(platform, clerks, slug)
    database = Database(database_url, pool_size=1, hot_pool_size=2)
    await database.start()
    try:
        async with beside(database_url) as bench:
            await bench.provide()
            yield Town(
                platform=platform,
                clerks=clerks,
                port=port,
                database_url=database_url,
                keys=keys,
                database=database,
                bench=bench,
                slug=slug,
                campaign=await bench.campaign(slug),
                tills=tills,
            )
    finally:
        await database.stop()


async def _tills(platform: Platform, clerks: Clerks, slug: str) -> list[Till]:
    """Terminals of one shop that takes the type; several, so that none is the bottleneck."""
    shop = {"name": "示例·压测商户", "category": "general_merchant", "accepts": [VOUCHER_TYPE]}
    ids = await clerks.load_institutions(slug, [shop], lambda _: None)
    return [
        await activated(
            platform,
            await clerks.activation_code(ids[0], f"till {number}"),
            device_id=f"bench-{slug}-{number}",
            now=clerks.time.now,
        )
        for number in range(TILLS)
    ]
