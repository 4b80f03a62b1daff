"""Draws and seals at the same moment, over two processes' worth of apps: no seal ever misses a draw."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from deploy.verify_draws import findings
from services.issuance.app import create_app
from services.issuance.wiring import build
from shared.clock import ManualClock
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, give_chances, new_person
from tests.support.http import serving

PERSONS = 12
DRAWS_EACH = 4
LIMITS = {"draws_per_day": 100, "vouchers_per_phase": 100}


@pytest.fixture(scope="module")
async def clients(settings: Settings, clock: ManualClock) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with (
        serving(issuance=create_app(settings, clock=clock)) as one,
        serving(issuance=create_app(settings, clock=clock)) as other,
    ):
        yield [one, other]


async def roots(kit: Kit, campaign: Published) -> list[int]:
    async with kit.database.snapshot() as tx:
        found = await tx.execute(
            text("SELECT draws FROM issuance.draw_log_root WHERE phase_id = :id ORDER BY at"),
            {"id": campaign.phases[0]},
        )
        return list(found.scalars())


async def test_a_seal_waits_for_a_draw_that_is_under_way(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient], database_url: str
) -> None:
    """The draw is stamped before the hour, and commits after the seal began."""
    campaign = await open_campaign(kit, clock, odds="0.000001", limits=LIMITS)
    hands = Hands(clients[0], await new_person(kit))
    await give_chances(kit, hands.person, campaign)
    watcher, slow = [await asyncpg.connect(database_url) for _ in range(2)]
    # Somebody holds the person's chance, so the draw stands still with the pool in its hands.
    holding = slow.transaction()
    await holding.start()
    await slow.execute(
        "SELECT FROM issuance.chance WHERE person_id = $1 FOR UPDATE", hands.person.address.uuid
    )
    drawing = asyncio.ensure_future(hands.draw(campaign.slug))
    await waiting(watcher, 1)
    clock.advance(hours=1, seconds=10)
    sealing = asyncio.ensure_future(build(kit).draw_logs.seal())
    await waiting(watcher, 2)
    assert not sealing.done()
    await holding.commit()
    assert (await drawing).status_code == 201
    await sealing
    assert await roots(kit, campaign) == [1]
    await watcher.close()
    await slow.close()


async def waiting(watcher: asyncpg.Connection, count: int) -> None:
    for _ in range(250):
        found = await watcher.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        if found == count:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError(f"{found} wait, not {count}")


async def test_draws_at_two_apps_and_two_sealing_workers_leave_one_whole_chain(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    """The clock passes full hours meanwhile, and goes back and forth over them as clocks of machines do."""
    campaign = await open_campaign(kit, clock, odds="0.5", limits=LIMITS, lasts=timedelta(hours=8))
    begin = clock.now()
    workers = [build(kit).draw_logs for _ in range(2)]
    persons = [Hands(clients[number % 2], await new_person(kit)) for number in range(PERSONS)]
    for hands in persons:
        await give_chances(kit, hands.person, campaign, DRAWS_EACH)
    for turn in range(DRAWS_EACH):
        # The second third is drawn as the hour is sealed, the last one by clocks that are an hour late.
        for third, minutes in enumerate((2, 61, 3)):
            clock.set(begin + timedelta(hours=turn, minutes=minutes))
            seals = [worker.seal() for worker in workers]
            drawn = [hands.draw(campaign.slug) for hands in persons[third::3]]
            _, answers = await asyncio.gather(asyncio.gather(*seals), asyncio.gather(*drawn))
            assert {answer.status_code for answer in answers} == {201}
    clock.set(begin + timedelta(hours=8, minutes=1))
    await asyncio.gather(*(worker.publish() for worker in workers))

    audit = (await clients[0].get(f"/issuance/v1/campaigns/{campaign.slug}/draw-audit")).json()
    log = await clients[1].get(f"/issuance/v1/campaigns/{campaign.slug}/phases/1/draw-log")
    assert await roots(kit, campaign) == [root["draws"] for root in audit["phases"][0]["log_roots"]]
    assert audit["phases"][0]["log_roots"][-1]["draws"] == PERSONS * DRAWS_EACH
    assert len({root["at"] for root in audit["phases"][0]["log_roots"]}) == 9  # it opens between full hours
    assert list(findings(log.content.splitlines(keepends=True), [audit])) == []
