"""The bureau's voucher pages in a real browser: a change by two people, a plan, an import with its faults."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
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
from tests.support.citizens import new_person
from tests.support.held import held_voucher, run
from tests.support.http import listening
from tests.support.people import signed_in_staff
from tests.support.pictures import photo
from tests.support.refusing import Mood, documented, faults_of_refused_forms
from tests.support.ways import LEAD, Partaker, open_ways

NOTE = "照片与描述不符"
SHEET = (
    "题目,选项A,选项B,答案,解析,难度,类别\n"
    "饭前要洗手吗？,要,不要,A,病从口入,1,健康素养\n"
    "几点睡觉？,早,晚,Z,,1,\n"
)


@dataclass(frozen=True, slots=True)
class Origin:
    address: str
    slug: str
    mood: Mood


@pytest.fixture(scope="module")
async def origin(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Origin]:
    mood = Mood()
    apps = {
        "console": console(settings, clock=clock),
        "issuance": mood.of(issuance(settings, clock=clock)),
        "redemption": redemption(settings, clock=clock),
        "quota": quota(settings, clock=clock),
    }
    async with listening(OneOrigin(apps, rest="console")) as address:
        slug = f"eyes-{secrets.token_hex(4)}"
        await open_campaign(
            kit, clock, slug=slug, phases=2, title="全民健康消费券发放活动", assumed=["phases.1.odds"]
        )
        yield Origin(address, slug, mood)


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


async def test_reviews_are_done_by_keyboard_with_the_photos_beside(
    origin: Origin, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_ways(kit, clock, parts={"slug": f"ways-{secrets.token_hex(4)}"})
    async with httpx.AsyncClient(base_url=origin.address, trust_env=False) as client:
        for number in (1, 2):
            someone = Partaker(client, await new_person(kit))
            photos = [await someone.photo(photo(number))]
            await someone.send(
                campaign.slug, "lead", {**LEAD, "place": f"红河路 {number} 号", "photos": photos}
            )
    async with visiting(origin) as tab:
        await as_somebody(tab, origin, kit)
        await tab.open(f"{origin.address}/console/reviews")
        assert "您手中没有待审核的内容" in await tab.text()
        await tab.tap("form[action$=claim] button")
        await tab.until("document.querySelectorAll('[data-review]').length === 2")
        await tab.until("[...document.querySelectorAll('.photos img')].every((one) => one.naturalWidth > 0)")
        assert await serious(tab) == []
        await seen(tab, "reviews")
        at = "[...document.querySelectorAll('[data-review]')].indexOf(document.activeElement)"
        for key, place in (("j", 0), ("j", 1), ("j", 1), ("k", 0)):
            await tab.press(key)
            assert await tab.evaluate(at) == place, key
        await tab.press("r")
        await tab.keys(NOTE)
        await tab.press("Enter")
        await tab.until("document.querySelector('.note.good')?.innerText.includes('未通过') === true")
        await tab.press("j")
        await tab.press("a")
        await tab.until("document.querySelector('.note.good')?.innerText.includes('已通过') === true")
        await tab.open(f"{origin.address}/console/reviews?view=rejected&campaign={campaign.slug}")
        assert NOTE in await tab.text()


async def test_a_voucher_is_found_masked_seen_in_clear_with_a_reason_and_revoked_by_two(
    origin: Origin, kit: Kit, clock: ManualClock
) -> None:
    async with httpx.AsyncClient(base_url=origin.address, trust_env=False) as client:
        held = await held_voucher(client, kit, clock, slug=f"held-{secrets.token_hex(4)}")
    masked = "UPDATE core.person SET name_masked = '李*' WHERE id = :person"
    await run(kit, masked, person=held.hands.person.address.uuid)
    async with visiting(origin) as tab:
        await as_somebody(tab, origin, kit)
        await tab.open(f"{origin.address}/console/vouchers")
        await tab.type("[name=code]", str(held.voucher["code"]))
        await tab.tap("form[action$=lookup] button")
        await tab.until("document.querySelector('.confirm summary') !== null")
        assert "李*" in await tab.text(".facts")
        await tab.tap(".confirm summary")
        await tab.type(".confirm [name=reason]", "电话核实本人身份")
        await tab.tap(".confirm [type=submit]")
        await tab.until("document.querySelector('.note.warn') !== null")
        assert "本次查看已记入审计日志" in await tab.text(".note.warn")
        assert await serious(tab) == []
        await seen(tab, "voucher")
        await tab.tap(".confirm ~ .confirm summary")
        await tab.type(".confirm ~ .confirm [name=reason]", "系统重复发放")
        await tab.tap(".confirm ~ .confirm [type=submit]")
        await tab.until("document.querySelector('.decide') !== null")
        shown = await tab.text()
        assert "作废消费券" in shown
        assert "系统重复发放" in shown
        await tab.open(f"{origin.address}/console/audit")
        told = await tab.evaluate("document.querySelector('main').textContent")
        assert "电话核实本人身份" in told


async def test_every_form_says_why_it_was_refused_and_keeps_what_was_typed(
    origin: Origin, kit: Kit, clock: ManualClock
) -> None:
    async with httpx.AsyncClient(base_url=origin.address, trust_env=False) as client:
        held = await held_voucher(client, kit, clock, slug=f"refused-{secrets.token_hex(4)}")
        headers = await signed_in_staff(kit, Role.OPERATOR)
        body = {"reason": "系统重复发放"}
        path = f"/issuance/v1/vouchers/{held.voucher['id']}/revoke"
        assert (await client.post(path, json=body, headers=headers)).status_code == 202
    async with visiting(origin) as tab:
        await as_somebody(tab, origin, kit)
        paths = (
            "campaigns/new",
            f"campaigns/{origin.slug}/propose",
            f"questions/{origin.slug}/import",
            "questions",
            "questions/statistics",
            "reviews",
            "vouchers",
            f"vouchers/{held.voucher['id']}",
            "changes?service=issuance",
            "imports/exclusions",
        )
        codes = documented("services/issuance")
        faults, forms = await faults_of_refused_forms(
            tab, origin.address, paths, origin.mood, codes, name="vouchers"
        )
        assert not faults, "\n".join(faults)
        assert len(forms) >= 16, sorted(forms)
