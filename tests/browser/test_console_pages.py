"""The console's quota pages in a real browser: each job and each refusal, and nothing from elsewhere."""

import base64
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.asgi import OneOrigin
from services.console.app import create_app as console
from services.console.secondfactor.rules import code_at, step_of
from services.quota.app import create_app as quota
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.browser import Tab, browsing, look
from tests.support.http import listening, serving
from tests.support.people import signed_in_staff
from tests.support.quota import Programme, bureau_of, issued

DATA = Path(__file__).resolve().parents[2] / "deploy" / "demo_data" / "yueqing-2020"
AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
WIDE, PHONE = (1366, 768), (390, 844)
LONG = "温州医科大学附属第一医院乐清国际医疗健康产业示范区妇女儿童保健与康复联合诊疗中心（北院区）"


@dataclass(frozen=True, slots=True)
class Shown:
    address: str
    programme: Programme


@pytest.fixture(scope="module")
async def shown(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Shown]:
    apps = {"console": console(settings, clock=clock), "quota": quota(settings, clock=clock)}
    # First the origin, which makes its own administrator only while there is none.
    async with (
        listening(OneOrigin(apps, rest="console")) as address,
        serving(quota=quota(settings, clock=clock)) as client,
    ):
        bureau = await bureau_of(client, kit)
        programme = await bureau.programme(
            f"pages-{secrets.token_hex(4)}",
            ("第一医共体", "市人民医院", 600),
            ("第一医共体", LONG, 300),
            ("", "城东社区卫生服务中心", 100),
            total=1000,
            title="乐清市2020年电子健康卡发卡任务",
            slogan="一码在手，看病不愁",
            ends_on="2020-12-31",
        )
        events = [issued(programme, "市人民医院", n, n, "2020-08-10") for n in range(1, 240)]
        await programme.send(*events, issued(programme, LONG, 900, 900, "2020-08-10"))
        await bureau.approved(f"{programme.path}/rankings/freeze", {"month": "2020-08"})
        for kind, label in (("department", "儿科"), ("staff", "0012")):
            body = {"kind": kind, "label": label}
            await bureau.post(f"hospitals/{programme.id('市人民医院')}/codes", body)
        await bureau.fold()
        yield Shown(address, programme)


@asynccontextmanager
async def visiting(shown: Shown, kit: Kit, role: Role, hospital: str = "市人民医院") -> AsyncIterator[Tab]:
    """A tab of somebody who is signed in; at its end the browser had nothing to complain of."""
    headers = await signed_in_staff(kit, role, hospital_id=shown.programme.id(hospital))
    async with browsing() as tab:
        token = headers["Authorization"].removeprefix("Bearer ")
        await tab.set_cookie("hv_console", token, url=f"{shown.address}/console")
        yield tab
        assert tab.complaints == []
        # A browser draws the button of its own calendar from an address that holds the picture itself.
        own = (shown.address, "data:")
        assert [address for address in tab.asked if not address.startswith(own)] == []


async def seen(tab: Tab, name: str) -> None:
    """The page fits both screens; and a picture of each."""
    for kind, (width, height) in (("phone", PHONE), ("wide", WIDE)):
        await tab.size(width=width, height=height)
        overflow = await tab.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{name} is {overflow} px wider than a {kind} screen"
        await look(tab, f"console-{name}-{kind}", width=width, height=height)


async def serious(tab: Tab) -> list[str]:
    """What a person with a screen reader or a keyboard would stumble over."""
    await tab.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    found = await tab.evaluate(
        "axe.run().then((told) => JSON.stringify(told.violations.filter(({ impact }) =>"
        " ['serious', 'critical'].includes(impact)).map(({ id, nodes }) =>"
        " `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)))"
    )
    told: list[str] = json.loads(found)
    return told


PAGES = [
    (Role.AUDITOR, "", "overview"),
    (Role.AUDITOR, "/integrity", "integrity"),
    (Role.AUDITOR, "/quota/codes", "codes"),
    (Role.AUDITOR, "/quota/table-check", "table-check"),
    (Role.AUDITOR, "/quota/progress", "progress"),
    (Role.AUDITOR, "/quota/rankings?month=2020-08", "rankings"),
    (Role.AUDITOR, "/templates", "templates"),
    (Role.AUDITOR, "/staff", "staff"),
    (Role.AUDITOR, "/audit", "audit"),
    (Role.AUDITOR, "/jobs", "jobs"),
    (Role.AUDITOR, "/health", "health"),
    (Role.AUDITOR, "/account", "account"),
    (Role.HOSPITAL, "/hospital", "hospital"),
    (Role.HOSPITAL, "/hospital/sub-codes", "sub-codes"),
    (Role.HOSPITAL, "/hospital/trace?event_id=e-1", "trace"),
]


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.HOSPITAL])
async def test_every_page_fits_its_screen_and_is_usable_by_all(shown: Shown, kit: Kit, role: Role) -> None:
    async with visiting(shown, kit, role) as tab:
        for wanted, path, name in PAGES:
            if wanted is role:
                await tab.open(f"{shown.address}/console{path}")
                assert await serious(tab) == [], name
                await seen(tab, name)


async def test_a_clerk_checks_a_table_without_leaving_the_page(
    shown: Shown, kit: Kit, tmp_path: Path
) -> None:
    async with visiting(shown, kit, Role.AUDITOR) as tab:
        await tab.open(f"{shown.address}/console/quota/table-check")
        await tab.choose_files("[name=file]", [DATA / "hospitals.csv"])
        await tab.choose_files("[name=totals]", [DATA / "published_totals.csv"])
        await tab.evaluate(
            "document.querySelector('[name=total]').value = '165000';"
            "document.querySelector('.more').open = true;"
            "document.querySelector('[name=source]').value = '乐清市妇幼保健院';"
            "document.querySelector('[name=target]').value = '乐清市人民医院';"
            "document.querySelector('[name=points]').value = '3';"
            "window.stayed = true;"
            "document.querySelector('[hx-post]').click()"
        )
        await tab.until("document.querySelector('#result table') !== null")
        assert await tab.evaluate("window.stayed") is True
        found = await tab.text("#result")
        assert "发现 2 处问题" in found
        assert "165,003" in found
        assert await serious(tab) == []
        await seen(tab, "table-check-found")
        broken = tmp_path / "broken.xlsx"
        broken.write_bytes(b"PK\x03\x04no workbook")
        await tab.choose_files("[name=file]", [broken])
        await tab.evaluate("document.querySelector('[hx-post]').click()")
        await tab.until("document.querySelector('#result [role=alert]') !== null")
        assert "无法打开该表格文件" in await tab.text("#result")
        assert await tab.evaluate("window.stayed") is True
        assert await tab.evaluate("document.querySelector('[name=source]').value") == "乐清市妇幼保健院"
        await seen(tab, "table-check-refused")


async def test_an_editor_of_quotas_computes_while_one_types_and_keeps_the_sum_in_sight(
    shown: Shown, kit: Kit
) -> None:
    async with visiting(shown, kit, Role.OPERATOR) as tab:
        await tab.open(f"{shown.address}/console/quota/allocation?programme={shown.programme.slug}")
        assert "合计 1,000" in " ".join((await tab.text(".sum")).split())
        await tab.evaluate(
            "window.stayed = true; window.total = document.querySelector('[name=total]');"
            "total.value = '2000'; total.dispatchEvent(new Event('change', { bubbles: true }))"
        )
        await tab.until("(document.querySelector('.sum')?.innerText ?? '').includes('2,000')")
        assert await tab.evaluate("window.stayed") is True
        assert "测算，未提交" in await tab.text("#result")
        assert await serious(tab) == []
        await seen(tab, "allocation")
        await tab.evaluate("total.value = 'x'; total.dispatchEvent(new Event('change', { bubbles: true }))")
        await tab.until("document.querySelector('#result [role=alert]') !== null")
        assert await tab.evaluate("document.querySelector('[name=total]').value") == "x"


async def test_a_clerk_sets_a_second_factor_up(shown: Shown, kit: Kit, clock: ManualClock) -> None:
    async with visiting(shown, kit, Role.OPERATOR) as tab:
        await tab.open(f"{shown.address}/console/account")
        await tab.evaluate("document.querySelector('#factor button').click()")
        await tab.until("document.querySelector('.factor-code svg') !== null")
        assert await serious(tab) == []
        await seen(tab, "second-factor")
        secret = base64.b32decode(await tab.text(".factor-code code"))
        await tab.evaluate("document.querySelector('[name=code]').focus()")
        await tab.keys(code_at(secret, step_of(clock.now())))
        await tab.press("Enter")
        await tab.until("document.querySelectorAll('.codes li').length === 10")
        await seen(tab, "recovery-codes")


async def test_a_hospital_makes_a_code_and_retires_it_by_keyboard(shown: Shown, kit: Kit) -> None:
    async with visiting(shown, kit, Role.HOSPITAL) as tab:
        await tab.open(f"{shown.address}/console/hospital/sub-codes")
        await tab.evaluate("document.querySelector('[name=label]').focus()")
        await tab.keys("康复科")
        await tab.press("Enter")
        await tab.until(
            "document.querySelector('.note') !== null && (document.body?.innerText ?? '').includes('康复科')"
        )
        await seen(tab, "sub-code-made")
        await tab.evaluate(
            "[...document.querySelectorAll('tr')].find((row) => row.innerText.includes('康复科'))"
            ".querySelector('summary').focus()"
        )
        await tab.press("Enter")
        await tab.until("document.querySelector('details.confirm[open]') !== null")
        await seen(tab, "sub-code-retire")
        await tab.press("Tab")
        await tab.keys("科室合并")
        await tab.press("Enter")
        await tab.until("(document.body?.innerText ?? '').includes('科室合并')")
        assert "已停用" in await tab.text(".note")


async def test_an_appeal_is_looked_up_and_a_stranger_s_event_refused(shown: Shown, kit: Kit) -> None:
    async with visiting(shown, kit, Role.HOSPITAL) as tab:
        await tab.open(f"{shown.address}/console/hospital/trace")
        for event_id, wanted in (("e-5", "持卡人最先通过该院二维码领卡"), ("e-900", "forbidden")):
            await tab.evaluate(
                f"document.querySelector('[name=event_id]').value = '{event_id}';"
                "document.querySelector('form.card [type=submit]').click()"
            )
            await tab.until(f"document.querySelector('#result').innerText.includes('{wanted}')")
        assert LONG not in await tab.text("#result")
        await seen(tab, "trace-refused")


async def test_who_comes_without_a_session_signs_in_and_gets_where_they_wanted(shown: Shown) -> None:
    async with browsing() as tab:
        await tab.evaluate(f"location.href = '{shown.address}/console/quota/table-check'; 0")
        await tab.until("document.querySelector('[name=password]') !== null")
        assert await serious(tab) == []
        await seen(tab, "sign-in")
        await tab.evaluate("document.querySelector('[name=username]').focus()")
        await tab.keys("admin")
        await tab.press("Tab")
        await tab.keys("Correct-Horse-7-Battery")
        await tab.press("Enter")
        await tab.until("location.pathname === '/console/quota/table-check'")
        assert tab.complaints == []
