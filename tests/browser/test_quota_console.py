"""The clerks' jobs with card programmes in a real browser: quotas, stuffing, assignment, import, notice."""

import asyncio
import io
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import docx
import pytest
from python_calamine import CalamineWorkbook

from deploy.local.asgi import OneOrigin
from services.console.app import create_app as console
from services.quota.app import create_app as quota
from services.quota.signals.operations import Signals
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.browser.test_console_pages import seen, serious
from tests.support.browser import Tab, browsing
from tests.support.http import listening, serving
from tests.support.people import signed_in_staff
from tests.support.quota import Bureau, Programme, bureau_of, issued
from tests.support.refusing import Mood, documented, faults_of_refused_forms

LONG = "温州医科大学附属第一医院乐清国际医疗健康产业示范区妇女儿童保健与康复联合诊疗中心（北院区）"


@dataclass(frozen=True, slots=True)
class Shown:
    address: str
    bureau: Bureau
    programme: Programme
    case: str
    month: str
    mood: Mood

    @property
    def query(self) -> str:
        return f"programme={self.programme.slug}"

    async def decided(self, verb: str = "approve") -> None:
        """Another person decides what was proposed last."""
        pending = (await self.bureau.get("changes?status=pending"))["items"]
        ours = next(one for one in pending if one["target"] == self.programme.slug)
        await self.bureau.post(f"changes/{ours['change_id']}/{verb}", {}, status=200)


@pytest.fixture(scope="module")
async def shown(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Shown]:
    mood = Mood()
    apps = {"console": console(settings, clock=clock), "quota": mood.of(quota(settings, clock=clock))}
    async with (
        listening(OneOrigin(apps, rest="console")) as address,
        serving(quota=quota(settings, clock=clock)) as client,
    ):
        bureau = await bureau_of(client, kit)
        programme = await bureau.programme(
            f"jobs-{secrets.token_hex(4)}",
            ("第一医共体", "市人民医院", 600),
            ("第一医共体", LONG, 300),
            ("", "城东社区卫生服务中心", 100),
            total=1000,
            title="乐清市2020年电子健康卡发卡任务",
            residents=6667,
            target_share_of_residents="0.15",
        )
        nine = (clock.now() - timedelta(days=1)).replace(hour=9, minute=0, second=3, microsecond=0)
        last_month = nine.replace(day=1) - timedelta(days=3)
        farm = [
            {
                **issued(
                    programme, "市人民医院", f"s{n}", f"s{n}", (nine + timedelta(seconds=12 * n)).isoformat()
                ),
                "device_ref": "farm",
            }
            for n in range(30)
        ]
        early = [issued(programme, LONG, f"l{n}", f"l{n}", last_month.isoformat()) for n in range(9)]
        stray = issued(programme, None, "stray", "stray", nine.isoformat())
        await programme.send(*farm, *early, stray)
        await bureau.fold()
        await Signals(kit).scan()
        found = (await bureau.get(f"{programme.path}/stuffing-cases?kind=devices"))["items"]
        yield Shown(address, bureau, programme, found[0]["id"], f"{last_month:%Y-%m}", mood)


@asynccontextmanager
async def visiting(shown: Shown, kit: Kit, path: str) -> AsyncIterator[Tab]:
    """An operator's tab at a page; at its end the browser had nothing to complain of."""
    headers = await signed_in_staff(kit, Role.OPERATOR)
    async with browsing() as tab:
        token = headers["Authorization"].removeprefix("Bearer ")
        await tab.set_cookie("hv_console", token, url=f"{shown.address}/console")
        await tab.open(f"{shown.address}/console/quota/{path}")
        yield tab
        assert tab.complaints == []
        own = (shown.address, "data:", "blob:")
        assert [address for address in tab.asked if not address.startswith(own)] == []


async def downloaded(tab: Tab, selector: str) -> bytes:
    """The file that comes when this is tapped."""
    async with tab.page.expect_download() as coming:
        await tab.tap(selector)
    return await asyncio.to_thread(Path(await (await coming.value).path()).read_bytes)


async def test_every_page_fits_its_screen_and_is_usable_by_all(shown: Shown, kit: Kit) -> None:
    slug = shown.programme.slug
    pages = {
        "programmes": "programmes",
        "programme": f"programmes/{slug}",
        "working-days": "working-days?year=2020",
        "hospitals": f"hospitals?{shown.query}",
        "hospital-history": f"hospitals/{shown.programme.id(LONG)}",
        "cards": f"cards?{shown.query}",
        "stuffing": f"stuffing?{shown.query}",
        "appeals": f"appeals?{shown.query}",
    }
    async with visiting(shown, kit, "programmes/new") as tab:
        await seen(tab, "programme-new")
        for name, path in pages.items():
            await tab.open(f"{shown.address}/console/quota/{path}")
            assert await serious(tab) == [], name
            await seen(tab, name)


async def test_every_form_says_why_it_was_refused_and_keeps_what_was_typed(shown: Shown, kit: Kit) -> None:
    trace = f"hospitals?{shown.query}"
    async with visiting(shown, kit, trace) as tab:
        paths = (
            "quota/programmes/new",
            f"quota/programmes/{shown.programme.slug}",
            f"quota/hospitals/{shown.programme.id(LONG)}",
            f"quota/hospitals/import?{shown.query}",
            f"quota/allocation?{shown.query}",
            f"quota/stuffing/{shown.programme.slug}/{shown.case}",
            f"quota/rankings?{shown.query}&month={shown.month}",
            "quota/table-check",
            "changes",
            "templates",
            "imports",
        )
        codes = documented("services/quota")
        faults, forms = await faults_of_refused_forms(
            tab, shown.address, paths, shown.mood, codes, name="quota"
        )
        assert not faults, "\n".join(faults)
        assert len(forms) >= 13, sorted(forms)


async def test_quotas_are_edited_proposed_and_in_force_when_a_second_person_says(
    shown: Shown, kit: Kit
) -> None:
    async with visiting(shown, kit, f"allocation?{shown.query}") as tab:
        await tab.evaluate("window.stayed = true; document.querySelectorAll('details.more')[0].open = true")
        # Names are offered while one types a part of one.
        await tab.type("[name=source] >> nth=0", "人民")
        await tab.until("document.querySelector('#hospital-names option')?.value === '市人民医院'")
        await tab.type("[name=source] >> nth=0", "市人民医院")
        await tab.type("[name=target] >> nth=0", "城东社区卫生服务中心")
        await tab.type("[name=cards] >> nth=0", "50")
        await tab.type("[name=why] >> nth=0", "新院区")
        await tab.type("[name=reason]", "年中调整")
        await tab.press("Tab")
        await tab.until("(document.querySelector('#result')?.innerText ?? '').includes('550')")
        assert await tab.evaluate("window.stayed") is True
        assert "差额 0" in " ".join((await tab.text(".sum")).split())
        assert await serious(tab) == []
        await seen(tab, "allocation-edited")
        await tab.tap("button[value=propose]")
        await tab.until("document.querySelector('.note.good') !== null")
        assert "第 1 版" in " ".join((await tab.text(".sum")).split())
        await shown.decided()
        await tab.open(f"{shown.address}/console/quota/allocation?{shown.query}")
        assert "第 2 版" in " ".join((await tab.text(".sum")).split())


async def test_a_case_of_stuffing_is_read_and_confirmed_by_two(shown: Shown, kit: Kit) -> None:
    page = f"stuffing/{shown.programme.slug}/{shown.case}"
    async with visiting(shown, kit, page) as tab:
        assert "一台设备办理 30 张卡" in await tab.text()
        assert await serious(tab) == []
        await seen(tab, "stuffing-case")
        await tab.type("form[action$='/confirm'] [name=reason]", "核实为代领")
        await tab.tap("form[action$='/confirm'] button")
        await tab.until("document.querySelector('.note.good') !== null")
        await shown.decided()
        await tab.open(f"{shown.address}/console/quota/{page}")
        assert "认定为刷卡" in await tab.text(".page-head")
        assert "不计有效 30" in " ".join((await tab.text()).split())


async def test_a_card_without_a_hospital_is_assigned_by_name(shown: Shown, kit: Kit) -> None:
    async with visiting(shown, kit, f"cards?{shown.query}") as tab:
        await tab.tap("td a")
        await tab.until("document.querySelector('form[action$=assign]') !== null")
        await tab.type("[name=hospital]", "城东社区")
        await tab.until("document.querySelector('#hospital-names option') !== null")
        await tab.type("form[action$=assign] [name=reason]", "附领卡记录")
        assert await serious(tab) == []
        await seen(tab, "trace-assign")
        await tab.tap("form[action$=assign] button")
        await tab.until("document.querySelector('.note.good') !== null")
        await shown.decided()
        await tab.open(f"{shown.address}/console/quota/cards?{shown.query}")
        assert "所有发卡都计入了医院" in await tab.text()


async def test_a_list_with_three_bad_rows_is_given_back_with_its_faults(
    shown: Shown, kit: Kit, tmp_path: Path
) -> None:
    listed = tmp_path / "名单.csv"
    rows = ["医共体,医院,诊疗人次", ",城南门诊部,120", ",城西门诊部,许多", ",,50", ",城北门诊部,-3"]
    listed.write_text("\n".join(rows), encoding="utf-8")
    async with visiting(shown, kit, f"hospitals/import?{shown.query}") as tab:
        await tab.choose_files("[name=file]", [listed])
        await tab.tap("button[value=check]")
        await tab.until("(document.querySelector('#result')?.innerText ?? '').includes('有问题 3')")
        assert await serious(tab) == []
        await seen(tab, "hospital-import")
        marked = await downloaded(tab, "button[value=errors]")
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(marked)).get_sheet_by_index(0).to_python()
        assert [bool(row[-1]) for row in sheet[1:]] == [False, True, True, True]
        assert "整数" in str(sheet[2][-1])
        await tab.tap("button[value=import]")
        await tab.until("(document.querySelector('#result')?.innerText ?? '').includes('已导入 1')")


async def test_a_month_is_frozen_by_two_and_its_notice_opens_in_word(shown: Shown, kit: Kit) -> None:
    page = f"rankings?{shown.query}&month={shown.month}"
    async with visiting(shown, kit, page) as tab:
        assert "未冻结" in await tab.text(".page-head")
        await tab.tap("details.confirm > summary")
        await tab.tap("details.confirm button")
        await tab.until("document.querySelector('.note.good') !== null")
        await shown.decided()
        await tab.open(f"{shown.address}/console/quota/{page}")
        assert "已冻结·第 1 版" in await tab.text(".page-head")
        assert await serious(tab) == []
        await seen(tab, "ranking-frozen")
        notice = docx.Document(io.BytesIO(await downloaded(tab, "a[href*='bulletin.docx']")))
        words = "".join(paragraph.text for paragraph in notice.paragraphs)
        cells = "".join(cell.text for table in notice.tables for row in table.rows for cell in row.cells)
        assert LONG in words + cells
