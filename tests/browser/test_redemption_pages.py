"""Redemption's pages in a real browser: each job by the people whose it is, and nothing to complain of."""

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

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
from tests.support.refusing import Mood, documented, faults_of_refused_forms
from tests.support.settlements import Books, books
from tests.support.tills import bureau
from tests.support.vouchers import held_voucher, published

NAME = "示例·红河哈尼族彝族自治州第一人民医院健康管理中心"
ACTS = "details:has(form[action$='/{act}'])"


@dataclass(frozen=True, slots=True)
class Shown:
    """`institution` has a settlement and a case; `other` a settlement of its own; `free` is unsettled."""

    tab: Tab
    address: str
    scene: Scene
    desk: Books
    day: str
    settlement: str
    case: str
    other: str
    disputed: str
    free: str
    settled: str
    mood: Mood

    async def visit(self, path: str) -> None:
        await self.tab.open(f"{self.address}/console/{path}")

    async def be(self, role: Role, institution: str | None = None) -> None:
        """Somebody else sits down at the same browser."""
        headers = await signed_in_staff(self.scene.kit, role, institution_id=institution)
        token = headers["Authorization"].removeprefix("Bearer ")
        await self.tab.set_cookie("hv_console", token, url=f"{self.address}/console")

    async def act(self, act: str, **typed: str) -> None:
        """Unfolds an act, fills in what it asks for and sends it."""
        form = ACTS.format(act=act)
        await self.tab.tap(f"{form} > summary")
        for name, text in typed.items():
            await self.tab.type(f"{form} [name={name}]", text)
        await self.tab.tap(f"{form} button[type=submit]")

    async def told(self, text: str) -> None:
        await self.tab.until(f"document.querySelector('main').innerText.includes('{text}')")


@pytest.fixture(scope="module")
async def shown(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Shown]:
    mood = Mood()
    behind = mood.of(redemption(settings, clock=clock))
    apps = {"console": console(settings, clock=clock), "redemption": behind}
    async with (
        listening(OneOrigin(apps, rest="console")) as address,
        serving(redemption=redemption(settings, clock=clock)) as client,
        browsing() as tab,
    ):
        clock.set(max(datetime.fromisoformat("2020-11-10T10:00:00+08:00"), clock.now()))
        staff = await bureau(client, kit)
        campaign = await published(kit, f"shown-{secrets.token_hex(4)}")
        institution = await staff.institution(
            campaign,
            name=NAME,
            county="蒙自市",
            category="公立医院",
            address="蒙自市示例路 1 号",
            credit_code="91532500MA00000000",
            hours={"mon": ["08:00-12:00", "14:00-17:30"], "sat": ["08:00-12:00"]},
        )
        other = await staff.institution(campaign, name="示例·对账药店")
        scene = Scene(kit, clock, staff, campaign, institution, await staff.till(institution))
        desk = await books(kit, staff)
        await desk.set_account(institution, "6222020200112233445")
        till = await staff.till(other)
        settled = await till.redeem((await held_voucher(kit, campaign)).code, 6_001)
        await scene.write_off()
        await scene.work()
        day = local_day(clock.now(), "Asia/Shanghai").isoformat()
        await desk.settle(campaign, day, day)
        (settlement,) = await desk.of(institution)
        (disputed,) = await desk.of(other)
        free = await till.redeem((await held_voucher(kit, campaign)).code, 5_500)
        case = (await scene.cases(kind="burst"))[0]["id"]
        yield Shown(
            tab, address, scene, desk, day, settlement["id"], case, other, disputed["id"], free.id,
            settled.request_no, mood,
        )  # fmt: skip


@pytest.fixture(autouse=True)
async def unblamed(shown: Shown) -> AsyncIterator[None]:
    """The browser had nothing to complain of, and asked nobody else."""
    yield
    complaints = list(shown.tab.complaints)
    shown.tab.complaints.clear()
    assert complaints == []
    # The picture in a field for days is the browser's own.
    assert [one for one in shown.tab.asked if not one.startswith((shown.address, "data:"))] == []


async def test_every_page_fits_its_screen_and_is_usable_by_all(shown: Shown) -> None:
    slug, own = shown.scene.campaign.slug, shown.scene.institution
    pages = {
        "institutions": f"institutions?campaign={slug}",
        "institution": f"institutions/{own}",
        "institution-new": "institutions/new",
        "institution-import": f"institutions/import?campaign={slug}",
        "terminals": "terminals",
        "write-offs": f"write-offs?institution_id={own}",
        "write-off": f"write-offs/{shown.free}",
        "conflicts": "write-offs/conflicts",
        "settlements": f"settlements?campaign={slug}",
        "settlement": f"settlements/{shown.settlement}",
        "held-back": "settlements/held-back",
        "reconciliations": "reconciliations",
        "risk-cases": "risk/cases",
        "risk-case": f"risk/cases/{shown.case}",
        "failed-days": "risk/failed-days",
        "institution-rankings": f"institution-rankings?campaign={slug}",
    }
    await shown.be(Role.OPERATOR)
    for name, path in pages.items():
        await shown.visit(path)
        assert await serious(shown.tab) == [], name
        await seen(shown.tab, name)
    await shown.be(Role.INSTITUTION, own)
    for name, path in {"own-home": "own", "own-institution": "institutions/own"}.items():
        await shown.visit(path)
        assert await serious(shown.tab) == [], name
        await seen(shown.tab, name)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.INSTITUTION])
async def test_every_form_says_why_it_was_refused_and_keeps_what_was_typed(shown: Shown, role: Role) -> None:
    slug, own = shown.scene.campaign.slug, shown.scene.institution
    bureau = (
        "institutions/new",
        f"institutions/{own}/edit",
        f"institutions/{own}",
        f"institutions/import?campaign={slug}",
        f"write-offs?institution_id={own}",
        f"write-offs/{shown.free}",
        f"settlements?campaign={slug}",
        f"settlements/{shown.settlement}",
        f"risk/cases/{shown.case}",
        f"institution-rankings?campaign={slug}",
    )
    theirs = ("institutions/own", f"settlements/{shown.settlement}", "reconciliations")
    await shown.be(role, own if role is Role.INSTITUTION else None)
    paths = bureau if role is Role.OPERATOR else theirs
    codes = documented("services/redemption")
    faults, forms = await faults_of_refused_forms(
        shown.tab, shown.address, paths, shown.mood, codes, name=f"redemption-{role}"
    )
    assert not faults, "\n".join(faults)
    assert len(forms) >= (14 if role is Role.OPERATOR else 3), sorted(forms)


async def test_a_clerk_enters_an_institution_and_makes_its_terminal(shown: Shown) -> None:
    await shown.be(Role.OPERATOR)
    await shown.visit(f"institutions/new?campaign={shown.scene.campaign.slug}")
    for name, text in (("name", "示例·新药店"), ("category", "体检医院"), ("accepts", "checkup")):
        await shown.tab.type(f"form.card [name={name}]", text)
    await shown.tab.tap("form.card button[type=submit]")
    await shown.told("已录入")
    assert "体检医院" in await shown.tab.text()
    await shown.tab.type("#terminals [name=label]", "收费窗口2")
    await shown.tab.tap("form[action$='/terminals'] button")
    await shown.tab.until("document.querySelector('#activation .big-code') !== null")
    code = await shown.tab.text("#activation .big-code")
    assert re.fullmatch(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){2}", code)
    await shown.tab.until("!document.querySelector('[data-print]').hidden")
    assert await serious(shown.tab) == []
    await seen(shown.tab, "activation")
    await shown.tab.tap("main a.button")
    await shown.told("收费窗口2")
    assert code not in await shown.tab.text()


async def test_a_part_of_a_name_brings_suggestions(shown: Shown) -> None:
    await shown.be(Role.AUDITOR)
    await shown.visit("terminals")
    await shown.tab.tap("[name=institution]")
    await shown.tab.keys("健康管理中心")
    await shown.tab.until("document.querySelector('#institution-options option') !== null")
    option = await shown.tab.evaluate("document.querySelector('#institution-options option').value")
    assert option.startswith(NAME)


async def test_a_clerk_proposes_the_reversal_of_a_write_off(shown: Shown) -> None:
    await shown.be(Role.OPERATOR)
    await shown.visit(f"write-offs/{shown.free}")
    await shown.act("reverse", reason="顾客退费")
    await shown.told("须由另一位工作人员")
    await seen(shown.tab, "reversal-proposed")


async def test_a_run_shows_its_progress_and_stops_asking(shown: Shown) -> None:
    await shown.be(Role.OPERATOR)
    await shown.visit(f"settlements?campaign={shown.scene.campaign.slug}")
    await shown.tab.tap("details.more > summary")
    for name in ("from", "to"):
        await shown.tab.type(f"details.more [name={name}]", shown.day)
    await shown.tab.tap("details.more button")
    await shown.tab.until("document.querySelector('#run[hx-trigger]') !== null")
    await shown.desk.work()
    await shown.tab.until("document.querySelector('#run dl') !== null")
    assert await shown.tab.evaluate("document.querySelector('#run').hasAttribute('hx-trigger')") is False
    await seen(shown.tab, "run")


async def test_three_people_confirm_propose_and_approve_a_payment(shown: Shown) -> None:
    path = f"settlements/{shown.settlement}"
    await shown.be(Role.INSTITUTION, shown.scene.institution)
    await shown.visit("own")
    await shown.tab.tap(f"a[href$='{shown.settlement}']")
    await shown.tab.until("document.querySelector('.path') !== null")
    await shown.act("confirm")
    await shown.told("已确认，等待支付")
    await shown.be(Role.OPERATOR)
    await shown.visit(path)
    await shown.act("pay")
    await shown.told("您提交的变更须由另一位工作人员审批")
    await shown.be(Role.OPERATOR)
    await shown.visit(path)
    await seen(shown.tab, "payment-proposed")
    await shown.act("approve")
    await shown.told("已批准")
    assert "已支付" in await shown.tab.text()
    assert await serious(shown.tab) == []


async def test_a_dispute_is_lodged_and_answered(shown: Shown) -> None:
    path = f"settlements/{shown.disputed}"
    await shown.be(Role.INSTITUTION, shown.other)
    await shown.visit(path)
    await shown.act("dispute", note="金额与小票不符")
    await shown.told("异议已提交")
    await shown.be(Role.OPERATOR)
    await shown.visit(path)
    await seen(shown.tab, "dispute")
    await shown.tab.type("form[action$='/resolve'] [name=reason]", "已逐笔核对，金额无误")
    await shown.tab.tap("[name=outcome][value=rejected]")
    await shown.told("异议不成立")
    await shown.be(Role.INSTITUTION, shown.other)
    await shown.visit(path)
    assert "已逐笔核对，金额无误" in await shown.tab.text()


async def test_a_row_that_differs_is_shown_side_by_side(shown: Shown, tmp_path: Path) -> None:
    table = tmp_path / "清单.csv"
    table.write_text(f"请求号,抵扣金额（元）\n{shown.settled},49.00\n", "utf-8-sig")
    await shown.be(Role.INSTITUTION, shown.other)
    await shown.visit("reconciliations")
    await shown.tab.choose_files("[name=file]", [table])
    for name in ("from", "to"):
        await shown.tab.type(f"form.card [name={name}]", shown.day)
    await shown.tab.tap("form.card button[type=submit]")
    await shown.tab.until("document.querySelector('#result table') !== null")
    result = " ".join((await shown.tab.text("#result")).split())
    assert "金额 50.00 元 49.00 元" in result, result
    assert await serious(shown.tab) == []
    await seen(shown.tab, "reconciled")


async def test_a_case_is_decided_and_opened_again(shown: Shown) -> None:
    await shown.be(Role.OPERATOR)
    await shown.visit(f"risk/cases/{shown.case}")
    await shown.tab.page.select_option("form[action$='/decide'] [name=decision]", "watch")
    await shown.tab.type("form[action$='/decide'] [name=note]", "已电话核实")
    await shown.tab.tap("form[action$='/decide'] button")
    await shown.told("已处理，立即生效")
    await shown.act("reopen", reason="补充材料")
    await shown.told("已重新打开")
    assert "已电话核实" in await shown.tab.text()
