"""What a settlement run leaves out is listed with its cause, and comes into the next."""

import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from python_calamine import CalamineWorkbook

from services.redemption.wiring import build
from shared.clients.terminal import TerminalClient
from shared.clock import ManualClock, local_day, rfc3339
from shared.identity.staff import Role
from shared.jobs.awaited import Progress
from shared.jobs.awaited.store import by_id
from shared.kit import Kit
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef
from tests.support.people import signed_in_staff
from tests.support.settlements import Books, books
from tests.support.tills import Bureau
from tests.support.vouchers import held_voucher


@pytest.fixture(scope="module")
async def desk(kit: Kit, staff: Bureau) -> Books:
    return await books(kit, staff)


@pytest.fixture
async def till(staff: Bureau, campaign: CampaignRef, clock: ManualClock) -> TerminalClient:
    """A till of an institution of its own, on a day that no test has settled."""
    clock.advance(days=3)
    return await staff.till(await staff.institution(campaign))


@pytest.fixture
async def two_days(kit: Kit, campaign: CampaignRef) -> AsyncIterator[None]:
    """The campaign's own hold period is two days."""
    await keep(kit, campaign, 2)
    yield
    await keep(kit, campaign, None)


async def keep(kit: Kit, campaign: CampaignRef, days: int | None) -> None:
    async with kit.database.transaction() as tx:
        await catalogue.set_settlement_hold(tx, campaign.id, days)


def today(clock: ManualClock) -> str:
    return local_day(clock.now(), "Asia/Shanghai").isoformat()


async def used(kit: Kit, campaign: CampaignRef, till: TerminalClient) -> str:
    voucher = await held_voucher(kit, campaign, "general_50")
    return (await till.redeem(voucher.code, 3_333)).id


async def held_back(desk: Books, till: TerminalClient, **params: str) -> list[dict[str, Any]]:
    found = await desk.bureau.get(
        "/settlements/held-back", institution_id=till.institution_id, limit="200", **params
    )
    assert found.status_code == 200, found.text
    return list(found.json()["items"])


@pytest.mark.usefixtures("two_days")
async def test_younger_write_offs_than_the_campaigns_hold_are_named_and_come_into_the_next_run(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    day, old = today(clock), await used(kit, campaign, till)
    clock.advance(hours=47)
    young, received = await used(kit, campaign, till), clock.now()
    clock.advance(hours=1)
    result = await desk.settle(campaign, day, today(clock))
    assert (result["count"], result["held_back"]) == (1, 1)

    one = (await desk.of(till.institution_id))[0]
    detail = (await desk.bureau.get(f"/settlements/{one['id']}")).json()
    assert detail["held_back"] == [{"cause": "hold_period", "count": 1, "amount_fen": 3_333}]
    items = (await desk.bureau.get(f"/settlements/{one['id']}/items")).json()["items"]
    assert [item["redemption_id"] for item in items] == [old]
    (held,) = await held_back(desk, till, waiting="true", campaign=campaign.slug)
    assert (held["redemption_id"], held["cause"], held["reasons"]) == (young, "hold_period", [])
    assert held["due_from"] == rfc3339(received + timedelta(days=2))
    assert held["settlement_id"] is None

    clock.advance(hours=47)
    assert (await desk.settle(campaign, day, today(clock)))["held_back"] == 0
    later = (await desk.of(till.institution_id))[0]
    assert later["count"] == 1
    assert await held_back(desk, till, waiting="true") == []
    assert [one["settlement_id"] for one in await held_back(desk, till)] == [later["id"]]


async def test_campaign_without_a_hold_settles_at_once_whatever_others_wait(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    await keep(kit, campaign, 0)
    await used(kit, campaign, till)
    assert (await desk.settle(campaign, today(clock), today(clock)))["count"] == 1
    await keep(kit, campaign, None)


async def test_what_somebody_holds_is_named_with_the_reason(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    first, second = await used(kit, campaign, till), await used(kit, campaign, till)
    hold = {"institution_id": till.institution_id, "redemption_id": first, "reason": "待核实票据"}
    await desk.bureau.post("/settlement-holds", hold)
    await desk.settle(campaign, today(clock), today(clock))
    (held,) = await held_back(desk, till)
    assert (held["redemption_id"], held["cause"]) == (first, "write_off_hold")
    assert (held["reasons"], held["due_from"]) == (["待核实票据"], None)
    printed = await desk.bureau.get(
        f"/settlements/{(await desk.of(till.institution_id))[0]['id']}/statement.xlsx"
    )
    rows = CalamineWorkbook.from_filelike(io.BytesIO(printed.content)).get_sheet_by_name("结算单").to_python()
    told = "另有 1 笔、33.33 元单笔暂缓结算，不在本单金额之内，转入以后期间结算。"
    assert told in {row[0] for row in rows}

    third = await used(kit, campaign, till)
    await desk.bureau.post("/settlement-holds", {"institution_id": till.institution_id, "reason": "风险核查"})
    result = await desk.settle(campaign, today(clock), today(clock))
    assert (result["count"], result["held_back"]) == (0, 2)
    latest = [one for one in await held_back(desk, till) if one["cause"] == "institution_hold"]
    assert {one["redemption_id"] for one in latest} == {first, third}
    assert {tuple(one["reasons"]) for one in latest} == {("风险核查",)}
    run_id = latest[0]["run_id"]
    assert len(await held_back(desk, till, run_id=run_id)) == 2
    assert second not in {one["redemption_id"] for one in await held_back(desk, till)}


async def test_an_institution_sees_what_of_its_own_waits(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    redemption = await used(kit, campaign, till)
    hold = {"institution_id": till.institution_id, "redemption_id": redemption, "reason": "x"}
    await desk.bureau.post("/settlement-holds", hold)
    await desk.settle(campaign, today(clock), today(clock))
    own = await signed_in_staff(kit, Role.INSTITUTION, institution_id=till.institution_id)
    stranger = await signed_in_staff(kit, Role.INSTITUTION, institution_id="ins_other")
    url, http = "/redemption/v1/settlements/held-back", desk.bureau.http
    mine = (await http.get(url, headers=own)).json()["items"]
    assert [one["redemption_id"] for one in mine] == [redemption]
    assert (await http.get(url, headers=stranger)).json()["items"] == []
    asked = {"institution_id": till.institution_id}
    assert (await http.get(url, params=asked, headers=stranger)).status_code == 403


async def test_pages_of_what_is_held_lose_and_repeat_nothing(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    made = {await used(kit, campaign, till) for _ in range(5)}
    await desk.bureau.post("/settlement-holds", {"institution_id": till.institution_id, "reason": "x"})
    for _ in range(2):
        await desk.settle(campaign, today(clock), today(clock))
    seen: list[tuple[str, str]] = []
    params = {"institution_id": till.institution_id, "limit": "3"}
    while True:
        page = (await desk.bureau.get("/settlements/held-back", **params)).json()
        seen += [(one["run_id"], one["redemption_id"]) for one in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 10
    assert {redemption for _, redemption in seen} == made


@pytest.mark.usefixtures("two_days")
async def test_a_run_that_begins_again_keeps_the_period_of_its_beginning(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    """Otherwise one period would be settled by two rules, for whoever comes after the crash."""
    await used(kit, campaign, till)
    asked = (await desk.request(campaign, today(clock), today(clock))).json()
    async with kit.database.snapshot() as tx:
        job = await by_id(tx, UUID(asked["job_id"]))
    assert job is not None
    settlements, progress = build(kit).settlements, Progress(kit, job.id)
    await settlements.make(job, progress)
    assert len(await held_back(desk, till)) == 1
    await keep(kit, campaign, 0)
    clock.advance(days=5)
    assert (await settlements.make(job, progress))["count"] == 0
    await desk.work()
    assert len(await held_back(desk, till, waiting="true")) == 1
