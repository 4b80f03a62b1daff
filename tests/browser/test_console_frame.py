"""The console's frame in a real browser: signing in, the menu by keyboard, and the pages about the system."""

import base64
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from deploy.local.asgi import OneOrigin
from services.console.app import create_app as console
from services.console.secondfactor.rules import code_at, step_of
from services.console.staff.rules import FAILURES_MAX
from services.issuance.app import create_app as issuance
from services.quota.app import create_app as quota
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.ids import new_id
from shared.kit import Kit
from shared.settings import Settings
from tests.browser.test_console_pages import seen, serious
from tests.support.browser import Tab, browsing
from tests.support.campaigns import Published, publish_campaign
from tests.support.http import listening
from tests.support.people import signed_in_staff

PASSWORD = "Seven-Red-Kites-9"
PAGES = (
    ("", "overview"),
    ("/imports", "imports"),
    ("/imports/exclusions", "exclusions-import"),
    ("/jobs", "jobs"),
    ("/health", "health"),
    ("/integrity", "integrity"),
    ("/audit", "audit"),
    ("/staff", "staff"),
    ("/account", "account"),
)


@dataclass(frozen=True, slots=True)
class Desk:
    address: str
    client: httpx.AsyncClient
    tab: Tab
    admin: dict[str, str]
    campaign: Published
    clock: ManualClock

    async def hire(self, role: Role) -> tuple[str, str]:
        """A new account that signs in with a password: its name and id."""
        name = f"clerk-{new_id().hex[-10:]}"
        body = {"username": name, "password": PASSWORD, "roles": [role.value]}
        made = await self.client.post("/console/v1/staff", json=body, headers=self.admin)
        assert made.status_code == 201, made.text
        return name, made.json()["id"]

    async def enter(self, name: str, password: str = PASSWORD, code: str = "") -> None:
        for field, text in (("username", name), ("password", password), ("totp", code)):
            await self.tab.type(f"[name={field}]", text)
        await self.tab.tap(".sign-in button")

    async def leave(self) -> None:
        await self.tab.page.context.clear_cookies()
        await self.tab.open(f"{self.address}/console")

    async def as_holder(self, headers: dict[str, str]) -> None:
        token = headers["Authorization"].removeprefix("Bearer ")
        await self.tab.set_cookie("hv_console", token, url=f"{self.address}/console")


@asynccontextmanager
async def _desk(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Desk]:
    apps = {
        "console": console(settings, clock=clock),
        "issuance": issuance(settings, clock=clock),
        "redemption": redemption(settings, clock=clock),
        "quota": quota(settings, clock=clock),
    }
    async with (
        listening(OneOrigin(apps, rest="console")) as address,
        httpx.AsyncClient(base_url=address) as client,
        browsing() as tab,
    ):
        admin = await signed_in_staff(kit, Role.ADMIN)
        yield Desk(address, client, tab, admin, await publish_campaign(kit), clock)
        assert tab.complaints == []
        assert [asked for asked in tab.asked if not asked.startswith((address, "data:"))] == []


@pytest.fixture(scope="module")
async def desk(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Desk]:
    async with _desk(settings, clock, kit) as made:
        yield made


async def test_a_clerk_is_locked_out_unlocked_and_sets_the_second_factor_up(desk: Desk) -> None:
    name, staff_id = await desk.hire(Role.OPERATOR)
    tab = desk.tab
    await desk.leave()
    for _ in range(FAILURES_MAX):
        await desk.enter(name, "not the password")
        await tab.until("document.querySelector('[role=alert]')?.innerText.includes('不正确')")
        assert await tab.evaluate("document.querySelector('[name=username]').value") == name
        await tab.open(f"{desk.address}/console")
    await desk.enter(name)
    await tab.until("document.querySelector('[role=alert]')?.innerText.includes('登录失败次数过多')")
    body = {"reason": "本人输错"}
    unlocked = await desk.client.post(f"/console/v1/staff/{staff_id}/unlock", json=body, headers=desk.admin)
    assert unlocked.status_code == 200, unlocked.text
    await desk.enter(name)
    await tab.until("document.querySelector('.who')?.innerText === " + json.dumps(name))
    await tab.open(f"{desk.address}/console/account")
    await tab.tap("#factor button")
    await tab.until("document.querySelector('.factor-code code') !== null")
    secret = base64.b32decode(await tab.text(".factor-code code"))
    await tab.type("[name=code]", code_at(secret, step_of(desk.clock.now())))
    await tab.tap("#factor button")
    await tab.until("document.querySelectorAll('.codes code').length === 10")
    assert await serious(tab) == []


async def test_the_menu_is_folded_by_keyboard_and_stays_as_it_was_left(desk: Desk) -> None:
    tab = desk.tab
    await desk.as_holder(desk.admin)
    await tab.open(f"{desk.address}/console/jobs")
    await tab.press("Tab")
    assert await tab.evaluate("document.activeElement.className") == "skip"
    await tab.press("Enter")
    await tab.until("document.activeElement.id === 'main'")
    quota_group = ".menu [data-group='Card programmes']"
    assert not await tab.evaluate(f'document.querySelector("{quota_group}").open')
    await tab.evaluate(f'document.querySelector("{quota_group} summary").focus()')
    await tab.press("Enter")
    await tab.until(f'document.querySelector("{quota_group}").open')
    await tab.open(f"{desk.address}/console/health")
    assert await tab.evaluate(f'document.querySelector("{quota_group}").open')
    await tab.evaluate("localStorage.clear()")
    await tab.open(f"{desk.address}/console/health")
    # All groups are within the first screen.
    await tab.size(width=1366, height=768)
    assert await tab.evaluate("document.querySelector('.menu').scrollHeight <= innerHeight")


async def test_a_second_person_approves_what_the_first_one_proposed(desk: Desk, kit: Kit) -> None:
    tab, (first, second) = desk.tab, [await signed_in_staff(kit, Role.OPERATOR) for _ in range(2)]
    path = f"/issuance/v1/campaigns/{desk.campaign.slug}/phases/1/odds"
    proposed = await desk.client.post(path, json={"odds": "0.11", "reason": "放宽"}, headers=first)
    assert proposed.status_code == 202, proposed.text
    change = f"/console/changes/issuance/{proposed.json()['change_id']}/approve"
    await desk.as_holder(first)
    await tab.open(f"{desk.address}/console/changes")
    assert not await tab.evaluate(f"document.querySelector('form[action=\"{change}\"]') !== null")
    assert re.search(r"变更审批\s*\d", await tab.text(".menu"))
    await desk.as_holder(second)
    await tab.open(f"{desk.address}/console/changes")
    await tab.evaluate(f"document.querySelector('form[action=\"{change}\"]').closest('details').open = true")
    await tab.tap(f'form[action="{change}"] button')
    await tab.until("location.search.includes('done') || document.querySelector('[role=alert]') !== null")
    assert await tab.evaluate("location.search") == "?done=applied", await tab.text()


@pytest.mark.parametrize(("path", "name"), PAGES, ids=[name for _, name in PAGES])
async def test_pages_of_the_system_fit_both_screens_and_are_accessible(
    desk: Desk, path: str, name: str
) -> None:
    await desk.as_holder(desk.admin)
    await desk.tab.open(f"{desk.address}/console{path}")
    await seen(desk.tab, name)
    assert await serious(desk.tab) == []
