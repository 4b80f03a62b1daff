"""Progress, allocation, ranking and notices as pages: roles, refusals and forms."""

import io
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx
import pytest
from python_calamine import CalamineWorkbook

from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.pages import console_with_quota, form_of, signed_in, text_of
from tests.support.people import signed_in_staff
from tests.support.quota import Programme, bureau_of, issued

ALLOCATION = "/console/quota/allocation"
RANKINGS = "/console/quota/rankings"
HOSPITALS = "/console/quota/hospitals"
PAGES = ("/console/quota/progress", ALLOCATION, RANKINGS, HOSPITALS)
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@dataclass
class Shown:
    client: httpx.AsyncClient
    programme: Programme

    @property
    def query(self) -> dict[str, str]:
        return {"programme": self.programme.slug}

    async def sent(self, page: str, action: str, **fields: str | list[str]) -> httpx.Response:
        form = form_of(await self.client.get(page, params=self.query))
        body = urlencode({**form, **self.query, **fields}, doseq=True)
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return await self.client.post(action, content=body, headers=headers)


@pytest.fixture(scope="module")
async def shown(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Shown]:
    async with console_with_quota(settings, clock) as client:
        bureau = await bureau_of(client, kit)
        programme = await bureau.programme(
            f"board-{secrets.token_hex(4)}",
            ("第一医共体", "市人民医院", 600),
            ("第一医共体", "市中医院", 300),
            ("", "城东卫生院", 100),
            total=1000,
            title="发卡任务",
            ends_on="2020-12-31",
        )
        events = [issued(programme, "市人民医院", n, n, "2020-08-10") for n in range(1, 30)]
        await programme.send(*events)
        await bureau.approved(f"{programme.path}/rankings/freeze", {"month": "2020-08"})
        await bureau.fold()
        yield Shown(signed_in(client, await signed_in_staff(kit, Role.OPERATOR)), programme)


async def test_progress_shows_rates_time_and_the_units(shown: Shown) -> None:
    page = await shown.client.get(PAGES[0], params=shown.query)
    told = text_of(page)
    for word in ("任务进度", "时间进度", "市人民医院", "600", "每工作日需"):
        assert word in told
    part = text_of(await shown.client.get(PAGES[0], params={**shown.query, "alliance": "第一医共体"}))
    assert "共 2 条" in part


async def test_lists_of_figures_are_narrowed_and_their_sums_are_of_all(shown: Shown) -> None:
    narrowed = {**shown.query, "q": "中医"}
    progress = text_of(await shown.client.get(PAGES[0], params=narrowed))
    assert "共 1 条" in progress
    assert "市人民医院" not in progress
    file = await shown.client.get("/console/quota/progress.xlsx", params=shown.query)
    book = CalamineWorkbook.from_filelike(io.BytesIO(file.content))
    assert book.sheet_names == ["医院", "医共体", "可能完不成"]
    assert any("市人民医院" in row for row in book.get_sheet_by_index(0).to_python())
    editor = text_of(await shown.client.get(ALLOCATION, params={**narrowed, "alliance": "第一医共体"}))
    assert "合计 1,000 总数 1,000 差额 0" in editor
    assert "各医院任务数 共 1 条" in editor
    nobody = text_of(await shown.client.get(ALLOCATION, params={**shown.query, "q": "无此医院"}))
    assert "没有符合条件的医院" in nobody
    ranking = text_of(await shown.client.get(RANKINGS, params={**narrowed, "month": "2020-08"}))
    assert "名次 共 1 条" in ranking


async def test_the_editor_begins_with_the_version_in_force_and_its_sum(shown: Shown) -> None:
    page = await shown.client.get(ALLOCATION, params=shown.query)
    assert "合计 1,000 总数 1,000 差额 0" in text_of(page)
    assert 'name="total" type="text" value="1000"' in page.text


async def test_a_preview_moves_cards_and_keeps_the_sum(shown: Shown) -> None:
    typed: dict[str, str | list[str]] = {
        "total": "1,000",
        "method": "largest_remainder",
        "basis": "visits",
        "source": ["市人民医院", ""],
        "target": ["城东卫生院", ""],
        "points": ["", ""],
        "cards": ["50", ""],
        "why": ["新院区", ""],
        "hospital": ["市中医院"],
        "least": ["310"],
        "most": [""],
        "bound_why": ["床位"],
    }
    page = await shown.sent(ALLOCATION, ALLOCATION, answer="preview", **typed)
    assert page.status_code == 200, text_of(page)
    told = text_of(page)
    assert "合计 1,000 总数 1,000 差额 0" in told
    assert "测算，未提交" in told
    assert "310" in told
    refused = await shown.sent(ALLOCATION, ALLOCATION, answer="preview", **{**typed, "cards": ["x", ""]})
    assert (refused.status_code, "invalid_request" in refused.text) == (422, True)
    assert 'value="新院区"' in refused.text
    missing = await shown.sent(ALLOCATION, ALLOCATION, answer="propose", reason="", **typed)
    assert (missing.status_code, "invalid_request" in missing.text) == (422, True)
    proposed = await shown.sent(ALLOCATION, ALLOCATION, answer="propose", reason="年中调整", **typed)
    assert proposed.status_code == 303, text_of(proposed)
    done = await shown.client.get(proposed.headers["location"])
    assert "/console/changes" in done.text
    # Proposed only: a second person decides.
    assert "第 1 版" in text_of(done)


async def test_versions_are_files_and_compared(shown: Shown) -> None:
    file = await shown.client.get(f"{ALLOCATION}/1.xlsx", params=shown.query)
    assert file.content[:2] == b"PK"
    compared = {**shown.query, "earlier": "1", "later": "1"}
    page = await shown.client.get(f"{ALLOCATION}/compare", params=compared)
    assert page.status_code == 200, text_of(page)
    assert "因取整" in text_of(page)
    book = await shown.client.get(f"{ALLOCATION}/compare.xlsx", params=compared)
    assert book.content[:2] == b"PK"
    unknown = await shown.client.get(ALLOCATION, params={**shown.query, "version": "99"})
    assert unknown.status_code == 404


async def test_a_frozen_month_is_shown_and_corrected_only_with_a_reason(shown: Shown) -> None:
    page = await shown.client.get(RANKINGS, params={**shown.query, "month": "2020-08"})
    assert "已冻结·第 1 版" in text_of(page)
    freeze = f"{RANKINGS}/freeze"
    refused = await shown.sent(RANKINGS, freeze, month="2020-08", reason="")
    assert refused.status_code in {409, 422}
    assert 'role="alert"' in refused.text
    early = await shown.sent(RANKINGS, freeze, month="2020-10")
    assert (early.status_code, 'role="alert"' in early.text) == (409, True)
    proposed = await shown.sent(RANKINGS, freeze, month="2020-08", reason="漏报补录")
    assert proposed.status_code == 303, text_of(proposed)
    compared = {**shown.query, "month": "2020-08", "before": "1", "after": "1"}
    same = await shown.client.get(f"{RANKINGS}/compare", params=compared)
    assert "两版相同" in text_of(same)


@pytest.mark.parametrize("name", ["bulletin.docx", "bulletin.xlsx", "reminders.zip"])
async def test_documents_of_the_month_are_files(shown: Shown, name: str) -> None:
    file = await shown.client.get(f"{RANKINGS}/{name}", params={**shown.query, "month": "2020-08"})
    assert file.status_code == 200, file.text
    assert file.content[:2] == b"PK"


async def test_no_other_file_is_made_of_a_month(shown: Shown) -> None:
    assert (await shown.client.get(f"{RANKINGS}/other.exe", params=shown.query)).status_code == 404


async def test_auditors_look_and_hospitals_do_not(shown: Shown, kit: Kit) -> None:
    cookies = dict(shown.client.cookies)
    try:
        signed_in(shown.client, await signed_in_staff(kit, Role.AUDITOR))
        for page in PAGES:
            looked = await shown.client.get(page, params=shown.query)
            assert looked.status_code == 200
            assert 'method="post" action="/console/quota' not in looked.text
        for action in (ALLOCATION, f"{RANKINGS}/freeze"):
            assert (await shown.sent(ALLOCATION, action)).status_code == 403
        signed_in(shown.client, await signed_in_staff(kit, Role.HOSPITAL, hospital_id="h1"))
        for page in PAGES:
            assert (await shown.client.get(page, params=shown.query)).status_code == 403
    finally:
        for name, value in cookies.items():
            shown.client.cookies.set(name, value, path="/console")


async def test_hospitals_are_listed_named_and_changed_by_a_day(shown: Shown) -> None:
    listed = await shown.client.get(HOSPITALS, params={**shown.query, "q": "中医院"})
    assert "市中医院" in listed.text
    assert "城东卫生院" not in listed.text
    book = await shown.client.get("/console/quota/hospitals.xlsx", params=shown.query)
    assert book.content[:2] == b"PK"
    page = f"{HOSPITALS}/{shown.programme.id('市中医院')}"
    alias = {"name": "中医院老院", "reason": "旧称"}
    added = await shown.sent(page, f"{page}/names", kind="alias", **alias)
    assert (added.status_code, added.headers.get("location")) == (303, f"{page}?done=name")
    assert "中医院老院" in (await shown.client.get(page)).text
    assert (await shown.sent(page, f"{page}/names/withdraw", **alias)).status_code == 303
    moved = await shown.sent(page, f"{page}/move", on="2020-12-01", alliance="", reason="退出医共体")
    assert (moved.status_code, moved.headers.get("location")) == (303, f"{page}?done=change")
    broken = await shown.sent(page, f"{page}/closure", on="morgen", reason="x")
    assert (broken.status_code, 'role="alert"' in broken.text) == (422, True)
    assert (await shown.sent(page, f"{page}/abolition", on="2020-12-01", reason="x")).status_code == 404
    assert (await shown.client.get(f"{HOSPITALS}/nobody")).status_code == 404
