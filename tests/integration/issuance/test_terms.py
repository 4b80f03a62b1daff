"""Budget, payers' shares, limits and ways to take part change in versions, by two people."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.clock import ManualClock
from shared.ids import parse_hot_id
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.money import split_fen
from shared.vouchers import catalogue
from tests.support.campaigns import Published, definition, open_campaign, publish_campaign
from tests.support.citizens import Hands, fill_bank, give_chances, new_person
from tests.support.desk import Desk
from tests.support.money import IssuedVoucher, redeemed

pytestmark = pytest.mark.usefixtures("clock_returns")

OLD = [400_000, 350_000, 250_000]
NEW = [100_000, 300_000, 600_000]
PAYERS = ("treasury", "institutions", "insurance")
SHARES = {
    "funding_sources": [
        {"key": key, "share": str(share / 1_000_000)} for key, share in zip(PAYERS, NEW, strict=True)
    ]
}
LIMITS = {"vouchers_per_phase": 2, "draws_per_day": 5}


def path(campaign: Published, what: str) -> str:
    return f"/issuance/v1/campaigns/{campaign.slug}/{what}"


async def propose(desk: Desk, url: str, **body: object) -> httpx.Response:
    return await desk.propose(url, {"reason": "财政安排调整"} | body)


async def changed(desk: Desk, url: str, **body: object) -> None:
    approved = await desk.approve(await propose(desk, url, **body))
    assert approved.status_code == 200, approved.text


async def versions(desk: Desk, campaign: Published, subject: str) -> list[dict[str, Any]]:
    answer = await desk.client.get(path(campaign, "versions"), headers=desk.one)
    return [item for item in answer.json()["items"] if item["subject"] == subject]


async def put_up(desk: Desk, campaign: Published) -> list[int]:
    latest = (await versions(desk, campaign, "budget_and_shares"))[-1]
    return [source["put_up_fen"] for source in latest["value"]["funding_sources"]]


async def available(kit: Kit, campaign: Published) -> list[int]:
    statement = text("""
        SELECT core.amounts_sum(CASE 'available' WHEN credit THEN amounts_fen WHEN debit THEN
               ARRAY(SELECT -fen FROM unnest(amounts_fen) WITH ORDINALITY AS a (fen, i) ORDER BY i) END)
        FROM core.ledger_transfer WHERE campaign_id = :id
    """)
    async with kit.database.snapshot() as tx:
        found: list[int] = (await tx.execute(statement, {"id": campaign.id})).scalar_one()
    return found


async def held_voucher(kit: Kit, client: httpx.AsyncClient, campaign: Published, wish: str) -> dict[str, Any]:
    hands = Hands(client, await new_person(kit))
    await give_chances(kit, hands.person, campaign)
    claimed = await hands.claim(await hands.win(campaign.slug), wish)
    assert claimed.status_code == 201, claimed.text
    voucher: dict[str, Any] = claimed.json()
    return voucher


async def split_when_written_off(kit: Kit, voucher_id: str, bill_fen: int) -> list[int]:
    address = parse_hot_id(voucher_id)
    redemption = await redeemed(kit, IssuedVoucher(address.bucket, address.uuid), bill_fen=bill_fen)
    statement = text("SELECT split_fen FROM redemption.redemption WHERE bucket = :bucket AND id = :id")
    async with kit.database.snapshot() as tx:
        values = {"bucket": address.bucket, "id": redemption}
        split: list[int] = (await tx.execute(statement, values)).scalar_one()
    return split


async def broken_checks(kit: Kit) -> list[str]:
    report = await recompute(kit)
    return [f"{check.name}: {check.detail}" for check in report.checks if not check.ok]


async def test_payers_put_up_a_raised_budget_and_get_a_lowered_one_back(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, stock={"general_50": 10}, budget_fen=100_000)
    assert await put_up(desk, campaign) == split_fen(100_000, OLD)
    await changed(desk, path(campaign, "budget"), budget_fen=150_001)
    assert await put_up(desk, campaign) == [60_001, 52_500, 37_500]
    await changed(desk, path(campaign, "budget"), budget_fen=50_000)
    assert await put_up(desk, campaign) == split_fen(50_000, OLD) == await available(kit, campaign)
    assert [item["value"]["budget_fen"] for item in await versions(desk, campaign, "budget_and_shares")] == [
        100_000,
        150_001,
        50_000,
    ]
    assert await broken_checks(kit) == []


async def test_budget_does_not_fall_below_what_its_stock_costs(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, stock={"general_50": 10}, budget_fen=100_000)
    refused = await propose(desk, path(campaign, "budget"), budget_fen=49_999)
    assert (refused.status_code, refused.json()["code"]) == (409, "budget_in_use")
    fits = await propose(desk, path(campaign, "budget"), budget_fen=50_000)
    await changed(desk, path(campaign, "phases/1/stock"), voucher_type="general_50", delta=1)
    late = await desk.approve(fits)
    assert (late.status_code, late.json()["code"]) == (409, "no_longer_fits")
    assert "预算不能低于" in late.json()["detail"]


async def test_vouchers_keep_the_shares_they_were_issued_with(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, odds="1", stock={"general_100": 10}, budget_fen=100_000)
    before = await held_voucher(kit, desk.client, campaign, "general_100")
    await changed(desk, path(campaign, "funding-shares"), **SHARES)
    after = await held_voucher(kit, desk.client, campaign, "general_100")
    # 3,333 fen of 10,000: the rest goes back as the voucher was split, too.
    assert await split_when_written_off(kit, before["id"], 3_333) == split_fen(3_333, OLD)
    assert await split_when_written_off(kit, after["id"], 3_333) == split_fen(3_333, NEW)
    assert await put_up(desk, campaign) == [
        old + new for old, new in zip(split_fen(10_000, OLD), split_fen(90_000, NEW), strict=True)
    ]
    for _ in range(8):
        await held_voucher(kit, desk.client, campaign, "general_100")
    assert min(await available(kit, campaign)) >= 0
    assert await broken_checks(kit) == []


async def test_shares_that_leave_remainders_are_put_up_to_the_fen(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    """Each of 10 vouchers costs the first payer 3,334 fen: more than its third of the budget."""
    thirds = [
        {"key": key, "name": key, "share": share}
        for key, share in (("a", "0.333334"), ("b", "0.333333"), ("c", "0.333333"))
    ]
    campaign = await open_campaign(
        kit, clock, odds="1", stock={"general_100": 7}, budget_fen=100_000, funding_sources=thirds
    )
    await changed(desk, path(campaign, "phases/1/stock"), voucher_type="general_100", delta=3)
    assert await put_up(desk, campaign) == [33_340, 33_330, 33_330]
    for _ in range(10):
        await held_voucher(kit, desk.client, campaign, "general_100")
    assert await available(kit, campaign) == [0, 0, 0]
    assert await broken_checks(kit) == []


@pytest.mark.parametrize(
    ("sources", "code"),
    [
        ([("treasury", "0.5"), ("institutions", "0.5")], "payers_differ"),
        ([("treasury", "0.5"), ("treasury", "0.25"), ("insurance", "0.25")], "payers_differ"),
        ([("treasury", "0.5"), ("institutions", "0.25"), ("insurance", "0.24")], "shares_sum"),
        ([("treasury", "1.5"), ("institutions", "-0.5"), ("insurance", "0")], "share_range"),
    ],
)
async def test_shares_name_every_payer_once_and_add_up(
    desk: Desk, kit: Kit, sources: list[tuple[str, str]], code: str
) -> None:
    campaign = await publish_campaign(kit)
    shares = [{"key": key, "share": share} for key, share in sources]
    answer = await propose(desk, path(campaign, "funding-shares"), funding_sources=shares)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("budget", {"budget_fen": 1_000_000_000}),
        ("limits", LIMITS),
        ("channels/event", {"chances": 1, "per_day": 1}),
        (
            "funding-shares",
            {
                "funding_sources": [
                    {"key": "insurance", "share": "0.25"},
                    {"key": "treasury", "share": "0.4"},
                    {"key": "institutions", "share": "0.35"},
                ]
            },
        ),
    ],
)
async def test_what_is_in_force_already_is_no_change(
    desk: Desk, kit: Kit, what: str, body: dict[str, Any]
) -> None:
    campaign = await publish_campaign(kit)
    answer = await propose(desk, path(campaign, what), **body)
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_changes")
    unknown = Published(campaign.id, "nothing", (), campaign.opens_at, campaign.closes_at)
    assert (await propose(desk, path(unknown, what), **body)).status_code == 404


async def test_limits_bind_from_the_approval_and_leave_what_people_have(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, odds="0.000001")
    hands = Hands(desk.client, await new_person(kit))
    await give_chances(kit, hands.person, campaign, 10)
    for _ in range(3):
        assert (await hands.draw(campaign.slug)).status_code == 201
    await changed(desk, path(campaign, "limits"), **LIMITS | {"draws_per_day": 2})
    refused = await hands.draw(campaign.slug)
    assert (refused.status_code, refused.json()["code"]) == (409, "limit_reached")
    clock.advance(days=1)
    assert [(await hands.draw(campaign.slug)).status_code for _ in range(3)] == [201, 201, 409]
    view = (await desk.client.get(f"/issuance/v1/campaigns/{campaign.slug}")).json()
    assert view["per_person_limits"]["draws_per_day"] == 2
    assert await broken_checks(kit) == []


async def test_draws_of_a_phase_are_limited_when_the_limits_say_so(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    limits = {"draws_per_phase": 3}
    campaign = await open_campaign(kit, clock, odds="0.000001", limits=limits, phases=2)
    hands = Hands(desk.client, await new_person(kit))
    await give_chances(kit, hands.person, campaign, 8)
    assert [(await hands.draw(campaign.slug)).status_code for _ in range(2)] == [201, 201]
    clock.advance(days=1)
    assert [(await hands.draw(campaign.slug)).status_code for _ in range(2)] == [201, 409]
    clock.set(campaign.closes_at)
    clock.advance(seconds=-1)
    assert (await hands.draw(campaign.slug)).status_code == 201


async def test_vouchers_of_a_type_are_limited_over_all_phases_when_the_limits_say_so(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, odds="1", limits={"vouchers_per_type": 1}, phases=2)
    hands = Hands(desk.client, await new_person(kit))
    await give_chances(kit, hands.person, campaign, 3)
    assert (await hands.claim(await hands.win(campaign.slug), "fitness")).status_code == 201
    for moved in (False, True):
        if moved:
            clock.set(campaign.closes_at)
            clock.advance(seconds=-1)
        award = await hands.win(campaign.slug)
        refused = await hands.claim(award, "fitness")
        assert (refused.status_code, refused.json()["code"]) == (409, "limit_reached")
        other = "checkup" if moved else "general_50"
        assert (await hands.claim(award, other)).status_code == 201
    assert await broken_checks(kit) == []


async def test_a_way_to_take_part_earns_what_its_latest_version_says(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock)
    await fill_bank(kit, campaign)
    hands = Hands(desk.client, await new_person(kit))
    assert (await hands.pass_quiz(campaign.slug))["chances_granted"] == 1
    await changed(desk, path(campaign, "channels/quiz"), chances=3)
    assert (await hands.pass_quiz(campaign.slug))["chances_granted"] == 3
    assert [item["value"]["chances"] for item in await versions(desk, campaign, "channel")] == [1, 1, 3]
    unknown = await propose(desk, path(campaign, "channels/lead"), chances=3)
    assert unknown.status_code == 404
    assert await broken_checks(kit) == []


async def test_versions_tell_who_when_and_why(desk: Desk, kit: Kit, clock: ManualClock) -> None:
    campaign = await open_campaign(kit, clock, odds="0.2")
    clock.advance(minutes=5)
    await changed(desk, path(campaign, "phases/1/odds"), odds="0.4")
    first, second = await versions(desk, campaign, "odds")
    assert (first["value"], second["value"]) == ({"odds": "0.2"}, {"odds": "0.4"})
    assert (second["phase"], second["reason"]) == (1, "财政安排调整")
    decision = second["decision"]
    assert decision["proposed_by"] != decision["approved_by"] is not None
    assert decision["kind"] == "odds"
    assert decision["approved_at"] == second["effective_from"]
    subjects = {item["subject"] for item in (await all_versions(desk, campaign))}
    assert subjects == {
        "budget_and_shares",
        "limits",
        "channel",
        "phase",
        "odds",
        "quiz_rule",
        "stock",
        "settlement_hold",
    }
    nobody = await desk.client.get(path(campaign, "versions"))
    assert nobody.status_code == 401


async def all_versions(desk: Desk, campaign: Published) -> list[dict[str, Any]]:
    answer = await desk.client.get(path(campaign, "versions"), headers=desk.other)
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_assumptions_are_published_until_they_are_decided(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    assumed = ["phases.1.odds", "voucher_types.checkup.settlement_price_fen", "per_person_limits"]
    campaign = await open_campaign(kit, clock, assumed=assumed)
    view = f"/issuance/v1/campaigns/{campaign.slug}"
    assert (await desk.client.get(view)).json()["assumed"] == assumed
    await changed(desk, path(campaign, "phases/1/odds"), odds="0.4")
    assert (await desk.client.get(view)).json()["assumed"] == assumed[1:]


async def test_an_assumption_that_leads_nowhere_is_named(desk: Desk, kit: Kit) -> None:
    for wrong in ("phases.3.odds", "voucher_types.nothing", "slug.x"):
        body = definition(kit.clock.now(), assumed=["phases.1.odds", wrong])
        answer = await desk.propose("/issuance/v1/campaigns", body)
        assert answer.status_code == 422
        [fault] = answer.json()["errors"]
        assert (fault["loc"], fault["code"]) == ("body.assumed.1", "assumed_unknown")


async def test_a_revoked_voucher_of_older_shares_leaves_every_payer_its_part_of_the_piece(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    """Its value goes back as it was split; the piece that is free again will be split by the new shares."""
    campaign = await open_campaign(kit, clock, odds="1", stock={"general_100": 2}, budget_fen=20_000)
    held = await held_voucher(kit, desk.client, campaign, "general_100")
    await changed(desk, path(campaign, "funding-shares"), **SHARES)
    await changed(desk, f"/issuance/v1/vouchers/{held['id']}/revoke")
    for _ in range(2):
        await held_voucher(kit, desk.client, campaign, "general_100")
    assert await available(kit, campaign) == [0, 0, 0]
    assert await broken_checks(kit) == []


async def test_hold_period_of_settlements_is_a_term_with_versions(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, stock={"general_50": 1}, settlement_hold_days=3)
    url = path(campaign, "settlement-hold")

    async def in_force() -> int | None:
        async with kit.database.snapshot() as tx:
            return (await catalogue.campaign_by_slug(tx, campaign.slug)).settlement_hold_days

    assert await in_force() == 3
    same = await propose(desk, url, settlement_hold_days=3)
    assert (same.status_code, same.json()["code"]) == (409, "nothing_changes")
    for wrong in (-1, 366, "soon"):
        assert (await propose(desk, url, settlement_hold_days=wrong)).status_code == 422
    await changed(desk, url, settlement_hold_days=0)
    assert await in_force() == 0
    await changed(desk, url, settlement_hold_days=None)
    assert await in_force() is None
    told = await versions(desk, campaign, "settlement_hold")
    assert [item["value"]["settlement_hold_days"] for item in told] == [3, 0, None]
    assert [item["reason"] for item in told] == [None, "财政安排调整", "财政安排调整"]
    assert await broken_checks(kit) == []
