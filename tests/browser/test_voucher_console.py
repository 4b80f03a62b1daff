"""The bureau's voucher pages in a real browser: a change by two people, a plan, an import with its faults."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.asgi import OneOrigin
from services.console.app import create_app as console
from services.issuance.app import create_app as issuance
from services.quota.app import create_app as quota
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.browser.test_console_pages import WIDE, seen, serious
from tests.support.browser import Tab, browsing, look
from tests.support.campaigns import open_campaign
from tests.support.http import listening
from tests.support.people import signed_in_staff

SHEET = (
    "题目,选项A,选项B,答案,解析,难度,类别\n"
    "饭前要洗手吗？,要,不要,A,病从口入,1,健康素养\n"
    "几点睡觉？,早,晚,Z,,1,\n"
)


@dataclass(frozen=True, slots=True)
class Origin:
    address: str
    slug: str


@pytest.fixture(scope="module")
async def origin(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Origin]:
    apps = {
        "console": console(settings, clock=clock),
        "issuance": issuance(settings, clock=clock),
        "redemption": redemption(settings, clock=clock),
        "quota": quota(settings, clock=clock),
    }
    async with listening(OneOrigin(apps, rest="console")) as address:
        slug = f"eyes-{secrets.token_hex(4)}"
        await open_campaign(
            kit, clock, slug=slug, phases=2, title="全民健康消费券发放活动", assumed=["phases.1.odds"]
        )
        yield Origin(address, slug)


@asynccontextmanager
async def visiting(origin: Origin) -> AsyncIterator[Tab]:
    """A tab with nobody signed in; at its end the browser had nothing to complain of."""
    async with browsing() as tab:
        yield tab
        assert tab.complaints == []
        # The browser draws the calendar of a date's field from an address of its own.
        elsewhere = [one for one in tab.asked if not one.startswith((origin.address, "data:image/svg+xml"))]
        assert elsewhere == []


async def as_somebody(tab: Tab, origin: Origin, kit: Kit) -> None:
    headers = await signed_in_staff(kit, Role.OPERATOR)
    token = headers["Authorization"].removeprefix("Bearer ")
    await tab.set_cookie("hv_console", token, url=f"{origin.address}/console")


async def test_odds_are_planned_proposed_and_approved_by_another_person(origin: Origin, kit: Kit) -> None:
    async with visiting(origin) as tab:
        await as_somebody(tab, origin, kit)
        await tab.size(width=WIDE[0], height=WIDE[1])
        await tab.open(f"{origin.address}/console/planner?campaign={origin.slug}&daily_attempts=100")
        await tab.evaluate(
            "window.stayed = true;"
            "const range = document.querySelectorAll('[data-range]')[1]; range.value = 35;"
            "range.dispatchEvent(new Event('input', {bubbles: true}));"
            "range.dispatchEvent(new Event('change', {bubbles: true}))"
        )
        await tab.until("document.querySelector('#result').innerText.includes('35%')")
        assert await tab.evaluate("window.stayed") is True
        assert await serious(tab) == []
        await seen(tab, "planner")
        await tab.tap("#result .actions a.button")
        await tab.until("document.querySelector('[name=odds]') !== null")
        await tab.until("document.querySelector('[name=odds]').value === '35'")
        assert await serious(tab) == []
        await seen(tab, "propose")
        await tab.evaluate(
            "const form = document.querySelector('form[action$=\"/odds\"]');"
            "form.querySelector('[name=reason]').value = '节前提高中奖率';"
            "form.querySelector('[type=submit]').click()"
        )
        await tab.until("document.querySelector('.decide') !== null")
        assert "须由另一位工作人员审批" in await tab.text(".decide")
        await seen(tab, "changes-own")
        await as_somebody(tab, origin, kit)
        await tab.open(f"{origin.address}/console/changes?service=issuance")
        assert "35%" in await tab.text(".sides")
        await tab.tap(".decide .confirm.yes summary")
        assert await serious(tab) == []
        await seen(tab, "changes")
        await tab.tap(".decide .confirm.yes [type=submit]")
        await tab.until("document.querySelector('.note.good') !== null")
        await tab.open(f"{origin.address}/console/campaigns/{origin.slug}")
        assert "35%" in await tab.text()
        assert await serious(tab) == []
        await seen(tab, "campaign")


async def test_questions_come_from_a_file_whose_faults_are_shown(
    origin: Origin, kit: Kit, tmp_path: Path
) -> None:
    sheet = tmp_path / "题.csv"
    sheet.write_text(SHEET, encoding="utf-8")
    async with visiting(origin) as tab:
        await as_somebody(tab, origin, kit)
        await tab.open(f"{origin.address}/console/questions/{origin.slug}/import")
        await tab.choose_files("[name=file]", [sheet])
        await tab.tap("[name=step][value=check]")
        await tab.until("document.querySelector('#result table') !== null")
        assert "可导入 1 · 有问题 1" in await tab.text("#result")
        assert await serious(tab) == []
        await seen(tab, "questions-checked")
        await tab.tap("[name=step][value=import]")
        await tab.until("document.querySelector('#result')?.innerText.includes('已导入 1') === true")
        await tab.open(f"{origin.address}/console/questions?campaign={origin.slug}")
        assert "饭前要洗手吗" in await tab.text()
        assert await serious(tab) == []
        await seen(tab, "questions")
        for path in ("campaigns", f"campaigns/{origin.slug}/versions", "questions/statistics"):
            await tab.open(f"{origin.address}/console/{path}")
            assert await serious(tab) == [], path
            await look(tab, f"console-{path.replace('/', '-')}", width=WIDE[0], height=WIDE[1])
