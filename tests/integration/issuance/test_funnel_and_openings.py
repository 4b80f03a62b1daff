"""Openings without anybody behind them, funnels that are kept, and the draws of one phase."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.issuance.app import create_app
from services.issuance.monitoring.operations import Monitoring
from services.issuance.wiring import build
from shared.clock import ManualClock, local_day
from shared.kit import Kit
from shared.metrics import store as metrics
from shared.settings import Settings
from tests.support.answers import record_draws
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, give_chances, new_person
from tests.support.desk import Desk
from tests.support.held import refused, rows
from tests.support.http import serving

pytestmark = pytest.mark.usefixtures("clock_returns")

ZONE = "Asia/Shanghai"


@pytest.fixture(scope="module")
async def apps(settings: Settings, clock: ManualClock) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with (
        serving(issuance=create_app(settings, clock=clock)) as one,
        serving(issuance=create_app(settings, clock=clock)) as two,
    ):
        yield [one, two]


async def opened(client: httpx.AsyncClient, campaign: Published, device: str | None) -> httpx.Response:
    headers = {} if device is None else {"X-Device-Id": device}
    return await client.post(f"/issuance/v1/campaigns/{campaign.slug}/opens", headers=headers)


async def read(desk: Desk, campaign: Published, what: str) -> dict[str, Any]:
    answer = await desk.client.get(f"/issuance/v1/campaigns/{campaign.slug}/{what}", headers=desk.one)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_device_counts_once_a_day_on_whatever_instance(
    apps: list[httpx.AsyncClient], desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock)
    devices = [f"device-{number % 7}" for number in range(60)]
    answers = await asyncio.gather(
        *(opened(apps[place % 2], campaign, device) for place, device in enumerate(devices))
    )
    assert {answer.status_code for answer in answers} == {204}
    clock.advance(days=1)
    await opened(apps[0], campaign, "device-0")
    # Without a name: by what the browser says of itself.
    await opened(apps[0], campaign, None)
    await opened(apps[1], campaign, None)
    found = await read(desk, campaign, "funnel")
    assert (found["opened"], [day["opened"] for day in found["daily"]]) == (9, [7, 2])
    refused(await apps[0].post("/issuance/v1/campaigns/no-such/opens"), 404, "not_found")


async def test_an_opening_leads_to_nobody_and_is_forgotten_after_its_day(
    apps: list[httpx.AsyncClient], desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign, other = await open_campaign(kit, clock), await open_campaign(kit, clock)
    for one in (campaign, other):
        await opened(apps[0], one, "same-device")
    clock.advance(days=1)
    await opened(apps[0], campaign, "same-device")
    sql = "SELECT device_hash, o::text AS told FROM issuance.opening o WHERE campaign_id = ANY (:ids)"
    found = await rows(kit, sql, ids=[campaign.id, other.id])
    assert len({row.device_hash for row in found}) == 3
    assert not any("same-device" in row.told for row in found)
    clock.advance(days=2)
    await build(kit).openings.forget()
    assert await rows(kit, sql, ids=[campaign.id, other.id]) == []
    assert (await read(desk, campaign, "funnel"))["opened"] == 2


async def test_the_funnel_of_a_large_campaign_is_as_a_job_counted_it(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, odds=1)
    hands = Hands(desk.client, await new_person(kit))
    await give_chances(kit, hands.person, campaign, 2)
    await hands.win(campaign.slug)
    # The way through the job is the same at any size.
    large = Monitoring(kit, live_figures=0)
    live = await Monitoring(kit).funnel(campaign.slug)
    assert await large.funnel(campaign.slug) == live
    assert await large.keep_funnels() >= 1
    kept = await large.funnel(campaign.slug)
    assert kept == live
    await hands.win(campaign.slug)
    assert await large.funnel(campaign.slug) == kept
    clock.advance(minutes=4)
    await large.keep_funnels()
    assert await large.funnel(campaign.slug) == kept
    clock.advance(minutes=2)
    await large.keep_funnels()
    later = await large.funnel(campaign.slug)
    assert later == await Monitoring(kit).funnel(campaign.slug)
    assert [step.count for step in later.steps if step.name == "wins"] == [2]
    clock.advance(minutes=10)
    await large.keep_funnels()
    # Nothing has changed, so nothing was counted.
    assert await large.funnel(campaign.slug) == later


async def test_phases_that_meet_on_a_day_are_told_apart_exactly(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    """Phase 1 ends at 09:00:01, phase 2 begins on the same day; each monitor is the recount of its draws."""
    campaign = await open_campaign(kit, clock, odds="0.5", phases=2, lasts=timedelta(days=2))
    last_day = campaign.opens_at + timedelta(days=2)
    opens = await rows(kit, "SELECT opens_at FROM issuance.phase WHERE id = :id", id=campaign.phases[1])
    assert local_day(opens[0].opens_at, ZONE) == local_day(last_day - timedelta(seconds=1), ZONE)
    moments = [
        campaign.opens_at + timedelta(seconds=1),
        last_day - timedelta(seconds=1),
        opens[0].opens_at,
        opens[0].opens_at + timedelta(days=1),
    ]
    for number, moment in enumerate(moments):
        clock.set(moment)
        for _ in range(number + 1):
            fresh = await new_person(kit)
            await give_chances(kit, fresh, campaign)
            assert (await Hands(desk.client, fresh).draw(campaign.slug)).status_code == 201
    counted = """
        SELECT count(*) AS draws, count(*) FILTER (WHERE won) AS wins FROM issuance.draw WHERE phase_id = :id
    """
    for seq, phase in enumerate(campaign.phases, start=1):
        [recount] = await rows(kit, counted, id=phase)
        found = await read(desk, campaign, f"draw-monitor?phase={seq}")
        assert (found["total"]["draws"], found["total"]["wins"]) == tuple(recount)
        assert [day["draws"] for day in found["by_day"]] == [[1, 2], [3, 4]][seq - 1]
    whole = await read(desk, campaign, "draw-monitor")
    assert [day["draws"] for day in whole["by_day"]] == [1, 5, 4]


async def test_a_phase_with_days_of_its_own_is_told_from_the_roll_ups_alone(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, odds="0.5")
    await record_draws(kit, campaign, won=3, lost=2, figures=False)
    async with kit.database.transaction() as tx:
        day = local_day(kit.clock.now(), ZONE)
        for dim, n in (("won", 1_000_000), ("lost", 1_000_000)):
            await metrics.add(tx, campaign.id, day, "draw", dim=dim, dim2="quiz", n=n)
        await metrics.add(tx, campaign.id, day, "draw_at_odds", dim="500000", dim2="quiz", n=2_000_000)
    assert (await read(desk, campaign, "draw-monitor?phase=1"))["total"]["draws"] == 2_000_000
