"""A release plan spreads a phase's stock over its time: claims wait for it, draws look ahead of it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.issuance.phases.rules import Release
from shared.clock import ManualClock, rfc3339
from shared.integrity.operations import recompute
from shared.kit import Kit
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, give_chances, new_person
from tests.support.desk import Desk

pytestmark = pytest.mark.usefixtures("clock_returns")

_CLAIMABLE = text(
    "SELECT issuance.claimable(:remaining, :issued, :amount, :seconds, :opens_at, :closes_at, :at)"
)


async def planned(
    kit: Kit,
    clock: ManualClock,
    amounts: dict[str, int],
    *,
    every: str = "day",
    stock: dict[str, int] | None = None,
) -> Published:
    """A campaign whose one phase has opened a second ago and wins every draw."""
    plan = {"release_plan": {"every": every, "amounts": amounts}}
    stock = stock or {"fitness": 10, "general_50": 10}
    return await open_campaign(kit, clock, odds="1", stock=stock, every_phase=plan)


async def winner(kit: Kit, desk: Desk, campaign: Published) -> tuple[Hands, str]:
    hands = Hands(desk.client, await new_person(kit))
    await give_chances(kit, hands.person, campaign)
    return hands, await hands.win(campaign.slug)


async def phase_of(desk: Desk, campaign: Published) -> dict[str, Any]:
    answer = await desk.client.get(f"/issuance/v1/campaigns/{campaign.slug}")
    phase: dict[str, Any] = answer.json()["phases"][0]
    return phase


async def broken_checks(kit: Kit) -> list[str]:
    report = await recompute(kit)
    return [f"{check.name}: {check.detail}" for check in report.checks if not check.ok]


async def test_claims_wait_for_the_next_release_and_are_told_when_it_is(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await planned(kit, clock, {"fitness": 2})
    winners = [await winner(kit, desk, campaign) for _ in range(4)]
    for hands, award in winners[:2]:
        assert (await hands.claim(award, "fitness")).status_code == 201
    hands, award = winners[2]
    refused = await hands.claim(award, "fitness")
    next_release = rfc3339(campaign.opens_at + timedelta(days=1))
    assert (refused.status_code, refused.json()["code"]) == (409, "out_of_stock")
    assert refused.json()["next_release_at"] == next_release
    assert next_release[:16].replace("T", " ") in refused.json()["detail"]
    # A type without a plan is there at once, and the award is still open for it.
    other, other_award = winners[3]
    assert (await other.claim(other_award, "general_50")).status_code == 201

    view = await phase_of(desk, campaign)
    assert (view["stock_remaining"]["fitness"], view["stock_claimable"]["fitness"]) == (8, 0)
    assert view["stock_claimable"]["general_50"] == 9
    assert view["next_release_at"] == next_release
    assert view["release_plan"] == {"every": "day", "amounts": {"fitness": 2}}

    clock.set(campaign.opens_at + timedelta(days=1))
    assert (await phase_of(desk, campaign))["stock_claimable"]["fitness"] == 2
    assert (await hands.claim(award, "fitness")).status_code == 201
    assert await broken_checks(kit) == []


async def test_english_readers_are_told_the_next_release_too(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await planned(kit, clock, {"fitness": 1}, every="hour")
    (first, one), (second, other) = [await winner(kit, desk, campaign) for _ in range(2)]
    assert (await first.claim(one, "fitness")).status_code == 201
    second.person.headers["Accept-Language"] = "en"
    refused = await second.claim(other, "fitness")
    assert refused.json()["detail"].startswith("This voucher type is used up for now; more can be claimed")


async def test_what_was_not_taken_can_be_claimed_later_and_all_of_it_after_the_closing(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await planned(kit, clock, {"fitness": 2})
    clock.advance(days=2)
    assert (await phase_of(desk, campaign))["stock_claimable"]["fitness"] == 6
    clock.set(campaign.closes_at - timedelta(hours=1))
    winners = [await winner(kit, desk, campaign) for _ in range(10)]
    clock.set(campaign.closes_at)
    view = await phase_of(desk, campaign)
    assert (view["stock_claimable"]["fitness"], view["next_release_at"]) == (10, None)
    for hands, award in winners:
        assert (await hands.claim(award, "fitness")).status_code == 201
    assert await broken_checks(kit) == []


async def test_nothing_is_won_that_would_not_be_released_before_the_award_expires(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    """Awards live three days: three releases of 2 fall into them, counted from the opening."""
    campaign = await planned(kit, clock, {"fitness": 2}, stock={"fitness": 20})
    # The next second is the first of the three days; the release at its end comes too late.
    clock.set(campaign.opens_at)
    for _ in range(6):
        await winner(kit, desk, campaign)
    late = Hands(desk.client, await new_person(kit))
    await give_chances(kit, late.person, campaign)
    refused = await late.draw(campaign.slug)
    assert (refused.status_code, refused.json()["code"]) == (409, "awards_exhausted")
    clock.advance(days=1)
    assert (await late.draw(campaign.slug)).status_code == 201


async def test_sold_out_is_sold_out_with_a_plan_too(desk: Desk, kit: Kit, clock: ManualClock) -> None:
    campaign = await planned(kit, clock, {"fitness": 5}, stock={"fitness": 1, "general_50": 3})
    (first, one), (second, other) = [await winner(kit, desk, campaign) for _ in range(2)]
    assert (await first.claim(one, "fitness")).status_code == 201
    refused = await second.claim(other, "fitness")
    assert refused.json()["code"] == "out_of_stock"
    assert "next_release_at" not in refused.json()


async def test_a_campaign_without_a_plan_can_be_claimed_whole(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock)
    view = await phase_of(desk, campaign)
    assert view["stock_claimable"] == view["stock_remaining"]
    assert (view["release_plan"], view["next_release_at"]) == (None, None)


async def test_the_sql_and_the_rule_agree_at_every_step(kit: Kit, clock: ManualClock) -> None:
    opens_at = clock.now()
    release = Release(opens_at, opens_at + timedelta(days=3), 3600, 7)
    moment = timedelta(microseconds=1)
    async with kit.database.snapshot() as tx:
        for hours in (-1, 0, 1, 5, 71, 72, 80):
            for at in (opens_at + timedelta(hours=hours) + shift for shift in (-moment, 0 * moment, moment)):
                for remaining, issued in ((0, 0), (100, 0), (100, 36), (5, 7), (900, 503)):
                    values = {
                        "remaining": remaining,
                        "issued": issued,
                        "amount": release.amount,
                        "seconds": release.step_seconds,
                        "opens_at": release.opens_at,
                        "closes_at": release.closes_at,
                        "at": at,
                    }
                    told = (await tx.execute(_CLAIMABLE, values)).scalar_one()
                    assert told == release.claimable(remaining, issued, at), values
