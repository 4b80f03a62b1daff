"""The stock page: what was put in, where it went, what comes next and how long it lasts."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

from shared.clock import ManualClock, rfc3339
from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, give_chances, new_person
from tests.support.pages import signed_in, text_of, whole_console
from tests.support.people import signed_in_staff

PAGE = "/console/stock"


@dataclass(frozen=True, slots=True)
class Desk:
    client: httpx.AsyncClient
    headers: dict[str, str]
    campaign: Published


@pytest.fixture(scope="module")
async def desk(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Desk]:
    """Half a day after the opening two of ten are claimed; four are let go each day."""
    began = clock.now()
    async with whole_console(settings, clock) as client:
        campaign = await open_campaign(
            kit,
            clock,
            slug=f"shelf-{secrets.token_hex(4)}",
            odds="1",
            stock={"fitness": 10, "general_50": 50},
            every_phase={"release_plan": {"every": "day", "amounts": {"fitness": 4}}},
        )
        for _ in range(2):
            hands = Hands(client, await new_person(kit))
            await give_chances(kit, hands.person, campaign)
            assert (await hands.claim(await hands.win(campaign.slug), "fitness")).status_code == 201
        clock.set(campaign.opens_at + timedelta(hours=12))
        headers = await signed_in_staff(kit, Role.OPERATOR)
        yield Desk(signed_in(client, headers), headers, campaign)
    clock.set(began)


async def test_stock_is_counted_and_adds_up(desk: Desk) -> None:
    path = f"/issuance/v1/campaigns/{desk.campaign.slug}/stock"
    items = (await desk.client.get(path, headers=desk.headers)).json()["items"]
    fitness = next(item for item in items if item["voucher_type"] == "fitness")
    assert fitness == {
        "phase": 1,
        "state": "open",
        "voucher_type": "fitness",
        "name": "fitness券",
        "put_in": 10,
        "released": 4,
        "remaining": 8,
        "claimable": 2,
        "claimed": 2,
        "redeemed": 0,
        "outstanding": 2,
        "expired": 0,
        "revoked": 0,
        "returned": 0,
        "next_release_at": rfc3339(desk.campaign.opens_at + timedelta(days=1)),
        "next_release": 4,
        "per_day": "4.0",
        "days_left": "2.0",
        "used_up_at": fitness["used_up_at"],
        "lasts": False,
    }
    for item in items:
        assert item["put_in"] == item["remaining"] + item["claimed"] - item["returned"]
        states = ("redeemed", "outstanding", "expired", "revoked")
        assert item["claimed"] == sum(item[state] for state in states)


async def test_the_page_says_what_runs_short_and_leads_to_more_of_it(desk: Desk) -> None:
    page = await desk.client.get(PAGE, params={"campaign": desk.campaign.slug})
    shown = text_of(page)
    for fact in (
        "共 2 条",
        "fitness券（第 1 期，约 2.0 天）",
        "现可领 2",
        "4 张",
        "可用到期末",
        "合计 60",
    ):
        assert fact in shown, (fact, shown)
    link = f"/console/campaigns/{desk.campaign.slug}/propose?phase=1&amp;voucher_type=fitness#do-stock"
    assert link in page.text
    form = await desk.client.get(link.replace("&amp;", "&"))
    assert '<option value="fitness" selected>' in form.text
    english = text_of(await desk.client.get(PAGE, headers={"Accept-Language": "en"}))
    assert "Next release" in english


async def test_filters_narrow_the_list_and_the_workbook(desk: Desk) -> None:
    asked = {"campaign": desk.campaign.slug, "voucher_type": "general_50"}
    assert "共 1 条" in text_of(await desk.client.get(PAGE, params=asked))
    rows = [
        row.cells for row in read_rows((await desk.client.get(f"{PAGE}/export.xlsx", params=asked)).content)
    ]
    assert any("general_50券" in row for row in rows)
    assert not any("fitness券" in row for row in rows)
    none = await desk.client.get(PAGE, params={**asked, "phase": "9"})
    assert "没有符合条件的库存" in none.text
    assert "显示全部" in none.text


async def test_who_may_not_change_sees_no_way_to(desk: Desk, kit: Kit) -> None:
    desk.client.cookies.clear()
    signed_in(desk.client, await signed_in_staff(kit, Role.AUDITOR))
    page = await desk.client.get(PAGE, params={"campaign": desk.campaign.slug})
    assert (page.status_code, "/propose" in page.text) == (200, False)
    assert (await desk.client.get(PAGE, params={"campaign": "unheard-of"})).status_code == 404
    desk.client.cookies.clear()
    signed_in(desk.client, await signed_in_staff(kit, Role.HOSPITAL, hospital_id="none"))
    for path in ("", "/export.xlsx"):
        assert (await desk.client.get(f"{PAGE}{path}")).status_code == 403
    desk.client.cookies.clear()
    signed_in(desk.client, desk.headers)
