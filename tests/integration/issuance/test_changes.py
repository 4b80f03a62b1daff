"""Odds, quiz rule and stock change in versions, by two people, within the budget."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.clock import ManualClock
from shared.kit import Kit
from tests.support.campaigns import Published, open_campaign, publish_campaign
from tests.support.desk import Desk

RULE = {"questions": 10, "pass_score": 80, "attempts_per_day": 3, "time_limit_seconds": 300}


pytestmark = pytest.mark.usefixtures("clock_returns")


def path(campaign: Published, what: str, seq: int = 1) -> str:
    return f"/issuance/v1/campaigns/{campaign.slug}/phases/{seq}/{what}"


async def propose(desk: Desk, url: str, **body: object) -> httpx.Response:
    return await desk.propose(url, {"reason": "根据运行情况调整"} | body)


async def phase_of(desk: Desk, campaign: Published) -> dict[str, Any]:
    answer = await desk.client.get(f"/issuance/v1/campaigns/{campaign.slug}")
    phase: dict[str, Any] = answer.json()["phases"][0]
    return phase


async def test_new_odds_are_in_force_from_the_approval_and_the_old_version_stays(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, odds="0.2")
    proposed = await propose(desk, path(campaign, "odds"), odds=0.4)
    pending = await desk.client.get("/issuance/v1/changes?status=pending", headers=desk.other)
    [item] = [c for c in pending.json()["items"] if c["change_id"] == proposed.json()["change_id"]]
    assert (item["before"], item["body"]) == ({"odds": "0.2"}, {"phase": 1, "odds": "0.4"})
    assert (await phase_of(desk, campaign))["odds"] == "0.2"

    clock.advance(minutes=5)
    assert (await desk.approve(proposed)).status_code == 200
    assert (await phase_of(desk, campaign))["odds"] == "0.4"
    async with kit.database.snapshot() as tx:
        versions = (
            await tx.execute(
                text(
                    "SELECT odds_ppm, threshold, effective_from, reason FROM issuance.odds_version"
                    " WHERE phase_id = :phase ORDER BY effective_from"
                ),
                {"phase": campaign.phases[0]},
            )
        ).all()
    assert [version.odds_ppm for version in versions] == [200_000, 400_000]
    assert versions[1].effective_from == clock.now()
    assert versions[1].reason == "根据运行情况调整"
    assert int.from_bytes(versions[1].threshold) == 400_000 * 2**64 // 1_000_000


async def test_two_versions_approved_at_one_instant_follow_each_other(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock)
    for odds in ("0.3", "1"):
        proposed = await propose(desk, path(campaign, "odds"), odds=odds)
        assert (await desk.approve(proposed)).status_code == 200
    clock.advance(seconds=1)
    assert (await phase_of(desk, campaign))["odds"] == "1"


async def test_quiz_rule_changes_in_versions(desk: Desk, kit: Kit, clock: ManualClock) -> None:
    campaign = await open_campaign(kit, clock)
    rule = RULE | {"pass_score": 60, "min_seconds": 10, "blueprint": {"1": 6, "2": 4}}
    proposed = await propose(desk, path(campaign, "quiz-rule"), **rule)
    assert (await desk.approve(proposed)).status_code == 200
    assert (await phase_of(desk, campaign))["quiz"]["pass_score"] == 60


@pytest.mark.parametrize(
    ("what", "body", "code"),
    [
        ("odds", {"odds": 0}, "odds_range"),
        ("odds", {"odds": "1.000001"}, "odds_range"),
        ("odds", {"odds": "0.1234567"}, "rate_invalid"),
        ("odds", {"odds": True}, "rate_invalid"),
        ("odds", {"odds": "0.2", "reason": ""}, "string_too_short"),
        ("odds", {"odds": "0.2", "surprise": 1}, "extra_forbidden"),
        ("quiz-rule", RULE | {"pass_score": 101}, "less_than_equal"),
        ("quiz-rule", RULE | {"blueprint": {"1": 4}}, "blueprint_sum"),
        ("quiz-rule", RULE | {"blueprint": {"4": 10}}, "difficulty_unknown"),
        ("quiz-rule", RULE | {"min_seconds": 300}, "min_seconds_range"),
        ("stock", {"voucher_type": "general_50", "delta": 0}, "delta_zero"),
        ("stock", {"voucher_type": "nothing", "delta": 1}, "stock_type_unknown"),
        ("stock", {"voucher_type": "general_50", "delta": 10**18}, "less_than_equal"),
    ],
)
async def test_malformed_changes_are_named(
    desk: Desk, kit: Kit, what: str, body: dict[str, Any], code: str
) -> None:
    campaign = await publish_campaign(kit)
    answer = await propose(desk, path(campaign, what), **body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert [fault["code"] for fault in answer.json()["errors"]] == [code]


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("odds", {"odds": "0.3"}),
        ("quiz-rule", RULE),
        ("stock", {"voucher_type": "general_50", "delta": 1}),
    ],
)
async def test_phase_that_is_over_or_unknown_is_not_changed(
    desk: Desk,
    kit: Kit,
    clock: ManualClock,
    what: str,
    body: dict[str, Any],
) -> None:
    campaign = await open_campaign(kit, clock)
    unknown = await propose(desk, path(campaign, what, seq=2), **body)
    assert unknown.status_code == 404
    in_time = await propose(desk, path(campaign, what), **body)
    clock.set(campaign.closes_at)
    late = await desk.approve(in_time)
    assert (late.status_code, late.json()["code"]) == (409, "no_longer_fits")
    closed = await propose(desk, path(campaign, what), **body)
    assert (closed.status_code, closed.json()["code"]) == (409, "phase_closed")


async def test_stock_moves_with_what_can_be_awarded_and_says_why(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, stock={"general_50": 5})
    for voucher_type, delta in (("general_50", 3), ("checkup", 2), ("general_50", -4)):
        proposed = await propose(desk, path(campaign, "stock"), voucher_type=voucher_type, delta=delta)
        assert (await desk.approve(proposed)).status_code == 200
    assert (await phase_of(desk, campaign))["stock_remaining"] == {"checkup": 2, "general_50": 4}
    async with kit.database.snapshot() as tx:
        values = {"phase": campaign.phases[0]}
        pool = await tx.execute(
            text("SELECT left_to_award FROM issuance.award_pool WHERE phase_id = :phase"), values
        )
        moved = await tx.execute(
            text("SELECT sum(delta) FROM issuance.stock_move WHERE phase_id = :phase"), values
        )
        assert (pool.scalar_one(), moved.scalar_one()) == (6, 6)


async def test_stock_beyond_the_budget_is_refused_and_freed_by_taking_out(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, stock={"general_50": 1}, phases=2, budget_fen=25_000)
    url = path(campaign, "stock", seq=2)
    over = await propose(desk, url, voucher_type="general_50", delta=4)
    assert (over.status_code, over.json()["code"]) == (409, "budget_exceeded")
    fits = [await propose(desk, url, voucher_type="general_50", delta=3) for _ in range(2)]
    assert (await desk.approve(fits[0])).status_code == 200
    late = await desk.approve(fits[1])
    assert (late.status_code, late.json()["code"]) == (409, "no_longer_fits")
    assert "预算" in late.json()["detail"]
    freed = await propose(desk, path(campaign, "stock"), voucher_type="general_50", delta=-1)
    assert (await desk.approve(freed)).status_code == 200
    one_more = await propose(desk, url, voucher_type="general_50", delta=1)
    assert (await desk.approve(one_more)).status_code == 200


async def test_unspent_stock_of_a_phase_that_is_over_can_be_taken_out(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await publish_campaign(kit, stock={"general_50": 5})
    clock.set(campaign.closes_at + timedelta(days=1))
    proposed = await propose(desk, path(campaign, "stock"), voucher_type="general_50", delta=-5)
    assert (await desk.approve(proposed)).status_code == 200


async def test_stock_that_open_awards_need_stays(desk: Desk, kit: Kit, clock: ManualClock) -> None:
    campaign = await open_campaign(kit, clock, stock={"general_50": 5})
    before = await propose(desk, path(campaign, "stock"), voucher_type="general_50", delta=-4)
    # Two wins that wait to be claimed: the pool alone knows them, the type's stock is untouched.
    async with kit.database.transaction() as tx:
        await tx.execute(
            text("UPDATE issuance.award_pool SET left_to_award = left_to_award - 2 WHERE phase_id = :phase"),
            {"phase": campaign.phases[0]},
        )
    late = await desk.approve(before)
    assert (late.status_code, late.json()["code"]) == (409, "no_longer_fits")
    refused = await propose(desk, path(campaign, "stock"), voucher_type="general_50", delta=-4)
    assert (refused.status_code, refused.json()["code"]) == (409, "stock_in_use")
    fits = await propose(desk, path(campaign, "stock"), voucher_type="general_50", delta=-3)
    assert (await desk.approve(fits)).status_code == 200
