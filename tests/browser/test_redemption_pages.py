"""The clerks' redemption pages in a real browser: two jobs, both screens, and nothing to complain of."""

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import pytest

from deploy.local.asgi import OneOrigin
from services.console.app import create_app as console
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock, local_day
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.browser.test_console_pages import seen, serious
from tests.support.browser import Tab, browsing
from tests.support.cases import Scene
from tests.support.http import listening, serving
from tests.support.people import signed_in_staff
from tests.support.settlements import Books, books
from tests.support.tills import bureau
from tests.support.vouchers import published


@dataclass(frozen=True, slots=True)
class Shown:
    address: str
    scene: Scene
    desk: Books
    day: str
    settlement: str
    case: str


@pytest.fixture(scope="module")
async def shown(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Shown]:
    apps = {"console": console(settings, clock=clock), "redemption": redemption(settings, clock=clock)}
    async with (
        listening(OneOrigin(apps, rest="console")) as address,
        serving(redemption=redemption(settings, clock=clock)) as client,
    ):
        clock.set(max(datetime.fromisoformat("2020-11-10T10:00:00+08:00"), clock.now()))
        staff = await bureau(client, kit)
        campaign = await published(kit, f"shown-{secrets.token_hex(4)}")
        institution = await staff.institution(
            campaign,
            name="示例·红河哈尼族彝族自治州第一人民医院健康管理中心",
            county="蒙自市",
            category="公立医院",
            address="蒙自市示例路 1 号",
            credit_code="91532500MA00000000",
            hours={"mon": ["08:00-12:00", "14:00-17:30"], "sat": ["08:00-12:00"]},
        )
        scene = Scene(kit, clock, staff, campaign, institution, await staff.till(institution))
        desk = await books(kit, staff)
        await desk.set_account(institution, "6222020200112233445")
        await scene.write_off()
        await scene.work()
        day = local_day(clock.now(), "Asia/Shanghai").isoformat()
        await desk.settle(campaign, day, day)
        (settlement,) = await desk.of(institution)
        yield Shown(address, scene, desk, day, settlement["id"], (await scene.cases(kind="burst"))[0]["id"])


@asynccontextmanager
async def visiting(shown: Shown, role: Role) -> AsyncIterator[Tab]:
    """A tab of somebody who is signed in; at its end the browser had nothing to complain of."""
    own = shown.scene.institution if role is Role.INSTITUTION else None
    headers = await signed_in_staff(shown.scene.kit, role, institution_id=own)
    async with browsing() as tab:
        token = headers["Authorization"].removeprefix("Bearer ")
        await tab.set_cookie("hv_console", token, url=f"{shown.address}/console")
        yield tab
        assert tab.complaints == []
        # The picture in a field for days is the browser's own.
        assert [address for address in tab.asked if not address.startswith((shown.address, "data:"))] == []


async def test_every_page_fits_its_screen_and_is_usable_by_all(shown: Shown) -> None:
    slug = shown.scene.campaign.slug
    pages = {
        "institutions": f"institutions?campaign={slug}",
        "institution": f"institutions/{shown.scene.institution}",
        "institution-import": f"institutions/import?campaign={slug}",
        "write-offs": f"write-offs?campaign={slug}",
        "settlements": f"settlements?campaign={slug}",
        "settlement": f"settlements/{shown.settlement}",
        "risk-case": f"risk/cases/{shown.case}",
        "institution-rankings": f"institution-rankings?campaign={slug}",
    }
    async with visiting(shown, Role.OPERATOR) as tab:
        for name, path in pages.items():
            await tab.open(f"{shown.address}/console/{path}")
            assert await serious(tab) == [], name
            await seen(tab, name)


async def test_a_clerk_makes_a_terminal_and_reads_its_code(shown: Shown) -> None:
    async with visiting(shown, Role.OPERATOR) as tab:
        await tab.open(f"{shown.address}/console/institutions/{shown.scene.institution}")
        await tab.type("[name=label]", "收费窗口2")
        await tab.tap("form[action$='/terminals'] button")
        await tab.until("document.querySelector('#activation .big-code') !== null")
        assert re.fullmatch(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){2}", await tab.text("#activation .big-code"))
        assert await serious(tab) == []
        await seen(tab, "activation")


async def test_a_run_shows_its_progress_and_stops_asking(shown: Shown) -> None:
    async with visiting(shown, Role.OPERATOR) as tab:
        await tab.open(f"{shown.address}/console/settlements?campaign={shown.scene.campaign.slug}")
        await tab.evaluate("document.querySelector('details.more').open = true")
        for name in ("from", "to"):
            field = f"document.querySelector('details [name={name}]')"
            await tab.evaluate(f"{field}.value = '{shown.day}'")
        await tab.tap("details.more button")
        await tab.until("document.querySelector('#run[hx-trigger]') !== null")
        await shown.desk.work()
        await tab.until("document.querySelector('#run dl') !== null")
        assert await tab.evaluate("document.querySelector('#run').hasAttribute('hx-trigger')") is False
        await seen(tab, "run")
