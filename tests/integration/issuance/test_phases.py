"""A phase that is added later opens by the clock, and what a phase did not spend goes to a later one."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.issuance.wiring import build
from shared.clock import ManualClock, rfc3339
from shared.integrity.operations import recompute
from shared.kit import Kit
from tests.support.campaigns import QUIZ, Published, open_campaign, publish_campaign
from tests.support.citizens import Hands, fill_bank, give_chances, new_person
from tests.support.desk import Desk

pytestmark = pytest.mark.usefixtures("clock_returns")


def url(campaign: Published, rest: str = "") -> str:
    return f"/issuance/v1/campaigns/{campaign.slug}/phases{rest}"


def further_phase(campaign: Published, seq: int = 2, **parts: object) -> dict[str, Any]:
    opens_at = campaign.closes_at + timedelta(days=1)
    return {
        "seq": seq,
        "opens_at": rfc3339(opens_at),
        "closes_at": rfc3339(opens_at + timedelta(days=5)),
        "odds": "1",
        "quiz": QUIZ,
        "stock": {"general_50": 4},
        "reason": "追加一期",
    } | parts


async def approved(desk: Desk, path: str, body: dict[str, Any]) -> None:
    answer = await desk.approve(await desk.propose(path, body))
    assert answer.status_code == 200, answer.text


async def phases_of(desk: Desk, campaign: Published) -> list[dict[str, Any]]:
    view = await desk.client.get(f"/issuance/v1/campaigns/{campaign.slug}")
    phases: list[dict[str, Any]] = view.json()["phases"]
    return phases


async def stock_of(desk: Desk, campaign: Published) -> list[dict[str, int]]:
    return [phase["stock_remaining"] for phase in await phases_of(desk, campaign)]


async def broken_checks(kit: Kit) -> list[str]:
    report = await recompute(kit)
    return [f"{check.name}: {check.detail}" for check in report.checks if not check.ok]


async def holder(kit: Kit, client: httpx.AsyncClient, campaign: Published, wish: str | None) -> Hands:
    """Somebody with an open award, or with a voucher of the type."""
    hands = Hands(client, await new_person(kit))
    await give_chances(kit, hands.person, campaign)
    award = await hands.win(campaign.slug)
    if wish:
        assert (await hands.claim(award, wish)).status_code == 201
    return hands


async def carry(desk: Desk, campaign: Published, **body: object) -> httpx.Response:
    return await desk.propose(url(campaign, "/1/carry-over"), {"to": 2, "reason": "结转下一期"} | body)


async def test_a_phase_added_later_opens_and_closes_by_the_clock(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    """The app that serves all of this runs on: it is never told."""
    campaign = await open_campaign(kit, clock)
    await fill_bank(kit, campaign)
    hands = Hands(desk.client, await new_person(kit))
    await give_chances(kit, hands.person, campaign, 3)
    assert (await hands.draw(campaign.slug)).status_code == 201
    await approved(desk, url(campaign), further_phase(campaign))
    added = (await phases_of(desk, campaign))[1]
    assert (added["state"], len(added["seed_commitment"])) == ("upcoming", 64)

    clock.set(campaign.closes_at)
    assert (await hands.draw(campaign.slug)).json()["code"] == "phase_not_open"
    assert (await hands.start(campaign.slug)).json()["code"] == "phase_not_open"
    clock.advance(days=1)
    drawn = await hands.draw(campaign.slug)
    assert (drawn.status_code, drawn.json()["won"]) == (201, True)
    assert drawn.json()["proof"]["seed_commitment"] == added["seed_commitment"]
    assert (await hands.pass_quiz(campaign.slug))["passed"]
    assert (await hands.claim(drawn.json()["award"]["id"], "general_50")).status_code == 201
    clock.advance(days=5)
    assert (await hands.draw(campaign.slug)).json()["code"] == "phase_not_open"
    assert (await phases_of(desk, campaign))[1]["state"] == "closed"
    assert await broken_checks(kit) == []


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        ({"seq": 3}, 422, "phase_seq"),
        ({"stock": {"nothing": 1}}, 422, "stock_type_unknown"),
        ({"odds": 0}, 422, "odds_range"),
        ({"release_plan": {"every": "day", "amounts": {"checkup": 1}}}, 422, "release_type_unknown"),
        ({"opens_at": "2020-01-01T00:00:00+08:00"}, 409, "opening_passed"),
        ({"stock": {"general_50": 8}}, 409, "budget_exceeded"),
        ({"stock": {"fitness": 3}}, 409, "total_cap_exceeded"),
    ],
)
async def test_a_phase_that_does_not_fit_is_refused(
    desk: Desk, kit: Kit, parts: dict[str, Any], status: int, code: str
) -> None:
    campaign = await capped_campaign(kit)
    answer = await desk.propose(url(campaign), further_phase(campaign, **parts))
    body = answer.json()
    assert (answer.status_code, body["errors"][0]["code"] if status == 422 else body["code"]) == (
        status,
        code,
    )


async def capped_campaign(kit: Kit) -> Published:
    """A budget for 12 vouchers of 5,000 fen, 5 of which are taken; 5 fitness at the most, 3 of them in."""
    types = [
        {"key": "general_50", "kind": "general", "name": "通用", "face_value_fen": 5000, "validity_days": 9},
        {
            "key": "fitness",
            "kind": "directed",
            "name": "健身",
            "settlement_price_fen": 5000,
            "validity_days": 9,
            "total_cap": 5,
        },
    ]
    stock = {"general_50": 2, "fitness": 3}
    return await publish_campaign(kit, voucher_types=types, stock=stock, budget_fen=60_000)


async def test_a_phase_that_no_longer_fits_says_why(desk: Desk, kit: Kit, clock: ManualClock) -> None:
    campaign = await capped_campaign(kit)
    early = further_phase(campaign, opens_at=rfc3339(campaign.closes_at - timedelta(hours=1)))
    overlapping = await desk.propose(url(campaign), early)
    assert (overlapping.status_code, overlapping.json()["code"]) == (409, "phases_overlap")
    first = await desk.propose(url(campaign), further_phase(campaign, stock={"general_50": 7}))
    second = await desk.propose(url(campaign), further_phase(campaign, stock={"general_50": 1}))
    dear = await desk.propose(url(campaign), further_phase(campaign, stock={"general_50": 6}))
    assert (await desk.approve(second)).status_code == 200
    for late in (first, dear):
        answer = await desk.approve(late)
        assert (answer.status_code, answer.json()["code"]) == (409, "no_longer_fits")
        assert "第 2 期已存在" in answer.json()["detail"]
    third: dict[str, Any] = {"seq": 3, "opens_at": rfc3339(campaign.closes_at + timedelta(days=7))}
    third |= {"closes_at": rfc3339(campaign.closes_at + timedelta(days=9))}
    waiting = await desk.propose(url(campaign), further_phase(campaign, **third, stock={"general_50": 6}))
    more = {"voucher_type": "general_50", "delta": 1, "reason": "补充库存"}
    await approved(desk, url(campaign, "/1/stock"), more)
    answer = await desk.approve(waiting)
    assert (answer.status_code, "预算" in answer.json()["detail"]) == (409, True)
    waiting = await desk.propose(url(campaign), further_phase(campaign, **third, stock={"general_50": 1}))
    clock.set(campaign.closes_at + timedelta(days=7))
    answer = await desk.approve(waiting)
    assert (answer.status_code, "开始时间已过" in answer.json()["detail"]) == (409, True)
    assert await broken_checks(kit) == []


async def test_the_cap_of_a_type_holds_for_stock_that_is_put_in(desk: Desk, kit: Kit) -> None:
    campaign = await capped_campaign(kit)
    more = {"voucher_type": "fitness", "delta": 3, "reason": "补充库存"}
    refused = await desk.propose(url(campaign, "/1/stock"), more)
    assert (refused.status_code, refused.json()["code"]) == (409, "total_cap_exceeded")
    await approved(desk, url(campaign, "/1/stock"), more | {"delta": 2})


async def test_unspent_stock_goes_to_the_next_phase_and_no_piece_goes_twice(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    stock = {"general_50": 5, "fitness": 3}
    campaign = await open_campaign(kit, clock, odds="1", stock=stock, phases=2)
    await holder(kit, desk.client, campaign, "general_50")
    await holder(kit, desk.client, campaign, None)
    early = await carry(desk, campaign)
    assert (early.status_code, early.json()["code"]) == (409, "phase_not_closed")
    clock.advance(days=10)
    proposed = [await carry(desk, campaign) for _ in range(2)]
    pending = await desk.client.get("/issuance/v1/changes?status=pending", headers=desk.other)
    told = next(c for c in pending.json()["items"] if c["change_id"] == proposed[0].json()["change_id"])
    # One piece stays for the award that is still open.
    assert told["before"] == {"unspent": {"general_50": 3, "fitness": 3}, "expired": {}} or told[
        "before"
    ] == {
        "unspent": {"general_50": 4, "fitness": 2},
        "expired": {},
    }
    assert (await desk.approve(proposed[0])).status_code == 200
    before, after = await stock_of(desk, campaign)
    assert (sum(before.values()), sum(after.values())) == (1, 8 + 6)
    again = await desk.approve(proposed[1])
    assert (again.status_code, again.json()["code"]) == (409, "no_longer_fits")
    assert "没有可结转" in again.json()["detail"]
    clock.advance(days=3)
    assert await build(kit).lottery.expire_awards() >= 1
    await approved_carry(desk, campaign)
    assert [sum(stock.values()) for stock in await stock_of(desk, campaign)] == [0, 8 + 7]
    nothing = await carry(desk, campaign)
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_carry_over")
    assert await broken_checks(kit) == []


async def approved_carry(desk: Desk, campaign: Published, **body: object) -> None:
    answer = await desk.approve(await carry(desk, campaign, **body))
    assert answer.status_code == 200, answer.text


async def test_only_the_named_types_are_carried_over_and_only_forward(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    stock = {"general_50": 5, "fitness": 3}
    campaign = await open_campaign(kit, clock, stock=stock, phases=2)
    clock.advance(days=10)
    unknown = await carry(desk, campaign, voucher_types=["nothing"])
    assert unknown.json()["errors"][0]["code"] == "stock_type_unknown"
    assert (await carry(desk, campaign, to=3)).status_code == 404
    backwards = await desk.propose(url(campaign, "/2/carry-over"), {"to": 2, "reason": "结转"})
    assert backwards.json()["errors"][0]["code"] == "carry_over_backwards"
    await approved_carry(desk, campaign, voucher_types=["fitness"])
    assert await stock_of(desk, campaign) == [
        {"fitness": 0, "general_50": 5},
        {"fitness": 6, "general_50": 5},
    ]
    clock.set(campaign.closes_at)
    over = await carry(desk, campaign)
    assert (over.status_code, over.json()["code"]) == (409, "phase_closed")


async def test_the_value_of_expired_vouchers_becomes_stock_once(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    """The budget is spent to the last fen: only what came back can be given out again."""
    campaign = await open_campaign(
        kit, clock, odds="1", stock={"general_50": 4}, budget_fen=40_000, phases=2, award_valid_days=1
    )
    for _ in range(3):
        await holder(kit, desk.client, campaign, "general_50")
    await approved(desk, url(campaign), further_phase(campaign, 3, stock={}, **window(campaign)))
    clock.advance(days=70)
    await build(kit).wallet.expire_vouchers()
    body = {"to": 3, "reason": "过期退回", "expired": True}
    path = url(campaign, "/1/carry-over")
    first, second = [await desk.propose(path, body) for _ in range(2)]
    assert (await desk.approve(first)).status_code == 200
    assert (await stock_of(desk, campaign))[2] == {"general_50": 1 + 3}
    late = await desk.approve(second)
    assert (late.status_code, late.json()["code"]) == (409, "no_longer_fits")
    assert await broken_checks(kit) == []
    clock.set(campaign.closes_at + timedelta(days=100))
    for _ in range(4):
        await holder(kit, desk.client, campaign, "general_50")
    assert await broken_checks(kit) == []
    async with kit.database.snapshot() as tx:
        statement = text(
            "SELECT put_in, remaining, issued, returned FROM issuance.phase_stock s"
            " JOIN issuance.phase p ON p.id = s.phase_id WHERE p.campaign_id = :id AND p.seq = 1"
        )
        assert tuple((await tx.execute(statement, {"id": campaign.id})).one()) == (0, 0, 3, 3)


def window(campaign: Published) -> dict[str, str]:
    opens_at = campaign.closes_at + timedelta(days=100)
    return {"opens_at": rfc3339(opens_at), "closes_at": rfc3339(opens_at + timedelta(days=5))}


async def test_expired_value_goes_back_to_the_payer_that_paid_and_bears_only_what_it_can(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    """The first payer paid two fifths; with four fifths of the same money it could pay half the pieces."""
    campaign = await open_campaign(
        kit, clock, odds="1", stock={"general_50": 4}, budget_fen=40_000, phases=2, award_valid_days=1
    )
    for _ in range(4):
        await holder(kit, desk.client, campaign, "general_50")
    await approved(desk, url(campaign), further_phase(campaign, 3, stock={}, **window(campaign)))
    shares = [
        {"key": "treasury", "share": "0.8"},
        {"key": "institutions", "share": "0.1"},
        {"key": "insurance", "share": "0.1"},
    ]
    funding = f"/issuance/v1/campaigns/{campaign.slug}/funding-shares"
    await approved(desk, funding, {"funding_sources": shares, "reason": "比例调整"})
    clock.advance(days=70)
    await build(kit).wallet.expire_vouchers()
    body = {"to": 3, "reason": "过期退回", "expired": True}
    await approved(desk, url(campaign, "/1/carry-over"), body)
    assert (await stock_of(desk, campaign))[2] == {"general_50": 2}
    assert await broken_checks(kit) == []
