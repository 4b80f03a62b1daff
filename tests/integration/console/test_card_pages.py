"""Programmes, cards without a hospital, appeals, stuffing and lists of hospitals: jobs and refusals."""

import io
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from python_calamine import CalamineWorkbook

from services.quota.signals.operations import Signals
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.pages import console_with_quota, form_of, signed_in, text_of
from tests.support.people import signed_in_staff
from tests.support.quota import Bureau, Programme, bureau_of, issued, sheet

QUOTA = "/console/quota"
CARDS, APPEALS, STUFFING = f"{QUOTA}/cards", f"{QUOTA}/appeals", f"{QUOTA}/stuffing"
HOSPITALS, PROGRAMMES, DAYS = f"{QUOTA}/hospitals", f"{QUOTA}/programmes", f"{QUOTA}/working-days"


@dataclass
class Shown:
    client: httpx.AsyncClient
    bureau: Bureau
    programme: Programme
    headers: dict[str, str]

    @property
    def query(self) -> dict[str, str]:
        return {"programme": self.programme.slug}

    async def read(self, page: str, **query: str) -> str:
        answer = await self.client.get(page, params={**self.query, **query})
        assert answer.status_code == 200, text_of(answer)
        return text_of(answer)

    async def sent(self, page: str, action: str, **fields: str) -> httpx.Response:
        form = form_of(await self.client.get(page, params=self.query))
        return await self.client.post(action, data={**form, **self.query, **fields})

    async def uploaded(self, action: str, name: str, content: bytes, **fields: Any) -> httpx.Response:  # noqa: ANN401 - of a form
        form = form_of(await self.client.get(action, params=self.query))
        files = {"file": (name, content)}
        return await self.client.post(action, data={**form, **self.query, **fields}, files=files)


@pytest.fixture(scope="module")
async def shown(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Shown]:
    async with console_with_quota(settings, clock) as client:
        bureau = await bureau_of(client, kit)
        programme = await bureau.programme(
            f"cards-{secrets.token_hex(4)}",
            ("第一医共体", "市人民医院", 600),
            ("第一医共体", "市中医院", 300),
            ("", "城东卫生院", 100),
            total=900,
            title="发卡任务",
            residents=6667,
            target_share_of_residents="0.15",
        )
        nine = (clock.now() - timedelta(days=1)).replace(hour=9, minute=0, second=3, microsecond=0)
        farm = [
            {
                **issued(
                    programme, "市人民医院", f"s{n}", f"s{n}", (nine + timedelta(seconds=12 * n)).isoformat()
                ),
                "device_ref": "farm",
            }
            for n in range(30)
        ]
        stray = {**issued(programme, None, "stray", "stray", nine.isoformat()), "scene": "NOBODY"}
        await programme.send(*farm, stray, issued(programme, "市中医院", "own", "own", nine.isoformat()))
        await bureau.fold()
        await Signals(kit).scan()
        own = await signed_in_staff(kit, Role.HOSPITAL, hospital_id=programme.id("市中医院"))
        path = f"{programme.path}/events/e-own/appeals"
        await bureau.post(path, {"reason": "该卡应计入本院体检中心"}, headers=own)
        headers = await signed_in_staff(kit, Role.OPERATOR)
        yield Shown(signed_in(client, headers), bureau, programme, headers)


async def test_a_programme_shows_how_its_target_adds_up(shown: Shown) -> None:
    assert shown.programme.slug in await shown.read(PROGRAMMES)
    told = await shown.read(f"{PROGRAMMES}/{shown.programme.slug}")
    for words in (
        "常住居民 6,667",
        "15.0%",
        "目标 1,000",
        "− 任务前已发 100 截至 2020-07-31",
        "还需发卡 900",
    ):
        assert words in told
    progress = await shown.read(f"{QUOTA}/progress")
    assert "没有确定截止日期" in progress


async def test_a_programme_is_made_of_a_file_and_ends_when_two_people_say(shown: Shown) -> None:
    action = f"{PROGRAMMES}/new"
    slug = f"file-{secrets.token_hex(4)}"
    broken = await shown.uploaded(action, "p.yaml", f"slug: {slug}\ntitle: 新任务\ntarget_cards: -5".encode())
    assert (broken.status_code, "target_cards" in broken.text) == (422, True)
    garbled = await shown.uploaded(action, "p.yaml", b"slug: [")
    assert (garbled.status_code, "definition_unreadable" in garbled.text) == (422, True)
    made = await shown.uploaded(action, "p.yaml", f"slug: {slug}\ntitle: 新任务\ntarget_cards: 500".encode())
    page = f"{PROGRAMMES}/{slug}"
    assert (made.status_code, made.headers["location"]) == (303, f"{page}?done=made")
    early = await shown.sent(page, f"{page}/end", ends_on="morgen", reason="年底完成")
    assert (early.status_code, 'value="年底完成"' in early.text) == (422, True)
    proposed = await shown.sent(page, f"{page}/end", ends_on="2030-12-31", reason="年底完成")
    assert proposed.headers["location"] == f"{page}?done=end"
    assert "未定" in text_of(await shown.client.get(page))


async def test_working_days_are_told_with_their_notice(shown: Shown) -> None:
    told = await shown.read(DAYS, year="2020")
    assert "2020-01-19" in told
    assert "上班" in told
    file = await shown.client.get(f"{DAYS}.xlsx", params={"year": "2020"})
    assert ["2020-01-19", "上班"] in [row[:2] for row in rows_of(file)]


async def test_a_card_without_a_hospital_is_found_traced_and_assigned_by_name(shown: Shown) -> None:
    listed = await shown.read(CARDS)
    assert "共 1 条" in listed
    assert "e-stray" in listed
    assert "没有符合条件的卡" in await shown.read(CARDS, q="unknown")
    file = await shown.client.get(f"{CARDS}.xlsx", params=shown.query)
    assert ["e-stray", "NOBODY"] in [[row[0], row[2]] for row in rows_of(file)]
    trace = f"{CARDS}/trace"
    assert "未归属" in await shown.read(trace, event_id="e-stray")
    missing = await shown.client.get(trace, params={**shown.query, "event_id": "nothing"})
    assert (missing.status_code, 'role="alert"' in missing.text) == (404, True)
    typed = {"event_id": "e-stray", "reason": "医院提供了领卡记录"}
    for hospital, words in (("市", "可能指多家医院"), ("无此医院", "名单中没有"), ("", "名单中没有")):
        refused = await shown.sent(trace, f"{CARDS}/assign", hospital=hospital, **typed)
        assert (refused.status_code, words in refused.text) == (422, True), hospital
        assert 'value="医院提供了领卡记录"' in refused.text
    proposed = await shown.sent(trace, f"{CARDS}/assign", hospital="城东卫生院", **typed)
    assert proposed.status_code == 303, text_of(proposed)
    assert "done=proposed" in proposed.headers["location"]


async def test_names_are_offered_while_one_types(shown: Shown) -> None:
    offered = await shown.client.get(f"{QUOTA}/names", params={**shown.query, "other": "中医"})
    assert offered.text.strip() == '<option value="市中医院">第一医共体</option>'


async def test_a_case_tells_its_reasons_and_is_confirmed_by_two(shown: Shown) -> None:
    listed = await shown.read(STUFFING, kind="devices", hospital="市人民医院")
    assert "共 1 条" in listed
    assert "一台设备办理 30 张卡" in listed
    assert "没有符合条件的线索" in await shown.read(STUFFING, status="dismissed")
    unknown = await shown.client.get(STUFFING, params={**shown.query, "hospital": "无此医院"})
    assert (unknown.status_code, "hospital_unknown" in unknown.text) == (422, True)
    file = await shown.client.get(f"{STUFFING}/export.xlsx", params={**shown.query, "kind": "devices"})
    assert any("市人民医院" in row for row in rows_of(file))
    items = (await shown.bureau.get(f"{shown.programme.path}/stuffing-cases?kind=devices"))["items"]
    page = f"{STUFFING}/{shown.programme.slug}/{items[0]['id']}"
    told = await shown.read(page)
    for words in ("实测 阈值", "30", "计入有效", "提交认定"):
        assert words in told
    silent = await shown.sent(page, f"{page}/confirm", reason="")
    assert (silent.status_code, 'role="alert"' in silent.text) == (422, True)
    watched = await shown.sent(page, f"{page}/decide", status="watching", reason="再看一周")
    assert watched.headers["location"] == f"{page}?done=decided"
    proposed = await shown.sent(page, f"{page}/confirm", reason="核实为代领")
    assert proposed.headers["location"] == f"{page}?done=proposed"
    assert "继续观察" in await shown.read(page)
    early = await shown.sent(page, f"{page}/withdraw", reason="x")
    assert (early.status_code, "case_not_confirmed" in early.text) == (409, True)
    assert (await shown.sent(page, f"{page}/burn", reason="x")).status_code == 404


async def test_an_appeal_is_answered_once(shown: Shown) -> None:
    assert "该卡应计入本院体检中心" in await shown.read(APPEALS, status="open")
    (appeal,) = (await shown.bureau.get(f"{shown.programme.path}/appeals"))["items"]
    action = f"{APPEALS}/{appeal['id']}"
    silent = await shown.sent(APPEALS, action, status="rejected", answer="")
    assert (silent.status_code, 'role="alert"' in silent.text) == (422, True)
    answered = await shown.sent(APPEALS, action, status="rejected", answer="二维码是贵院的")
    assert answered.status_code == 303
    assert "二维码是贵院的" in await shown.read(APPEALS)
    again = await shown.sent(APPEALS, action, status="upheld", answer="改判")
    assert (again.status_code, "改判" in again.text or "appeal_answered" in again.text) == (409, True)
    file = await shown.client.get(f"{APPEALS}.xlsx", params=shown.query)
    assert any("二维码是贵院的" in row for row in rows_of(file))


async def test_a_list_of_hospitals_is_checked_asked_about_and_taken(shown: Shown) -> None:
    action = f"{HOSPITALS}/import"
    template = await shown.client.get(f"{action}/template.xlsx", params=shown.query)
    assert template.content[:2] == b"PK"
    listed = sheet(("第一医共体", "市第一人民医院", 700), ("", "城南卫生院", "许多"), ("", "城西卫生院", 50))
    checked = await shown.uploaded(action, "名单.csv", listed, step="check")
    assert checked.status_code == 200, text_of(checked)
    assert "共 3 行 · 可导入 1 · 有问题 2" in text_of(checked)
    assert "名称相近，请确认" in checked.text
    marked = await shown.uploaded(action, "名单.csv", listed, step="errors")
    assert any("许多" in row and any("整数" in str(cell) for cell in row) for row in rows_of(marked))
    ids = [shown.programme.id("市人民医院"), "new"]
    meant: dict[str, Any] = {"row": ["2", "4"], "meant": ids, "keep_names": "true"}
    taken = await shown.uploaded(action, "名单.csv", listed, step="import", **meant)
    assert "已导入 2" in text_of(taken)
    assert "城西卫生院" in await shown.read(HOSPITALS, q="城西")
    history = await shown.read(f"{HOSPITALS}/{shown.programme.id('市人民医院')}")
    assert "市第一人民医院 别名" in history
    no_file = await shown.sent(action, action, step="check")
    assert (no_file.status_code, 'role="alert"' in no_file.text) == (422, True)


async def test_a_merger_names_the_other_hospital(shown: Shown) -> None:
    page = f"{HOSPITALS}/{shown.programme.id('城东卫生院')}"
    typed = {"on": "2030-01-01", "reason": "机构改革"}
    refused = await shown.sent(page, f"{page}/merger", other="无此医院", **typed)
    assert (refused.status_code, 'value="无此医院"' in refused.text) == (422, True)
    change = await shown.sent(page, f"{page}/merger", other="市中医院", **typed)
    assert change.headers["location"] == f"{page}?done=change", text_of(change)
    (pending,) = (await shown.bureau.get("changes?status=pending&limit=1"))["items"]
    assert pending["body"]["successor_id"] == shown.programme.id("市中医院")
    await shown.bureau.post(f"changes/{pending['change_id']}/approve", {}, status=200)
    told = await shown.read(page)
    assert "2030-01-01 并入 市中医院" in told
    (event,) = (await shown.bureau.get(f"hospitals/{shown.programme.id('城东卫生院')}/history"))["events"]
    back = await shown.sent(page, f"{page}/history/{event['event_id']}/withdraw", reason="暂缓")
    assert back.headers["location"] == f"{page}?done=change"


async def test_auditors_look_and_hospitals_do_not(shown: Shown, kit: Kit) -> None:
    pages = (
        PROGRAMMES,
        f"{PROGRAMMES}/{shown.programme.slug}",
        DAYS,
        CARDS,
        f"{CARDS}/trace",
        STUFFING,
        APPEALS,
    )
    writing = (
        f"{PROGRAMMES}/new",
        f"{CARDS}/assign",
        f"{APPEALS}/1",
        f"{STUFFING}/a/1/decide",
        f"{HOSPITALS}/import",
    )
    try:
        signed_in(shown.client, await signed_in_staff(kit, Role.AUDITOR))
        for page in pages:
            looked = await shown.client.get(page, params=shown.query)
            assert looked.status_code == 200, page
            assert 'method="post" action="/console/quota' not in looked.text
        for action in writing:
            assert (await shown.sent(CARDS, action)).status_code == 403, action
        hospital = await signed_in_staff(kit, Role.HOSPITAL, hospital_id=shown.programme.id("市中医院"))
        signed_in(shown.client, hospital)
        for page in (*pages, f"{QUOTA}/names"):
            assert (await shown.client.get(page, params=shown.query)).status_code == 403, page
    finally:
        signed_in(shown.client, shown.headers)


def rows_of(file: httpx.Response) -> list[list[Any]]:
    assert file.status_code == 200, file.text
    return CalamineWorkbook.from_filelike(io.BytesIO(file.content)).get_sheet_by_index(0).to_python()
