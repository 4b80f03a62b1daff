"""The question bank's pages: what is in it, taking questions out of use, and an import from file to bank."""

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from shared.clock import ManualClock
from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import publish_campaign
from tests.support.pages import form_of, signed_in, text_of, whole_console
from tests.support.people import signed_in_staff
from tests.support.workbooks import coloured

PAGE = "/console/questions"
HEADER = "题目,选项A,选项B,答案,解析,难度,类别\n"
GOOD = "".join(f"饭前要洗手吗 {n}？,要,不要,A,病从口入,1,健康素养\n" for n in range(3))
BAD = "=1+1 是几？,二,三,Z,,1,\n"


@dataclass(frozen=True, slots=True)
class Desk:
    client: httpx.AsyncClient
    slug: str

    async def sent(self, step: str, content: str, name: str = "题.csv") -> httpx.Response:
        address = f"{PAGE}/{self.slug}/import"
        form = form_of(await self.client.get(address))
        files = {"file": (name, content.encode())}
        return await self.client.post(address, files=files, data={**form, "step": step})

    async def bank(self, **query: str) -> httpx.Response:
        return await self.client.get(PAGE, params={"campaign": self.slug, **query})


@pytest.fixture(scope="module")
async def desk(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Desk]:
    async with whole_console(settings, clock) as client:
        campaign = await publish_campaign(kit, slug=f"bank-{secrets.token_hex(4)}")
        desk = Desk(signed_in(client, await signed_in_staff(kit, Role.OPERATOR)), campaign.slug)
        checked = await desk.sent("check", HEADER + GOOD + BAD)
        shown = text_of(checked)
        # Said here, because everything below stands on it.
        assert "共 4 行 · 可导入 3 · 有问题 1" in shown, shown
        assert "题库还是空的" in text_of(await desk.bank())
        taken = await desk.sent("import", HEADER + GOOD + BAD)
        assert "已导入 3" in text_of(taken), text_of(taken)
        yield desk


async def test_a_check_names_each_fault_and_offers_what_comes_next(desk: Desk) -> None:
    more = GOOD.replace("饭前", "饭后")
    page = await desk.sent("check", HEADER + more + BAD)
    assert "5" in text_of(page)
    for step in ("import", "errors"):
        assert f'form="import-form" name="step" value="{step}"' in page.text


async def test_the_file_comes_back_with_its_faults_coloured(desk: Desk) -> None:
    answer = await desk.sent("errors", HEADER + GOOD + BAD)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert coloured(answer.content) == ["D5", "H5"]
    row = read_rows(answer.content)[4]
    assert (row.at(0), row.at(7).startswith("答案：")) == ("=1+1 是几？", True)


async def test_a_file_that_is_no_table_is_refused(desk: Desk) -> None:
    for content, name in (("x", "a.csv"), ("", "")):
        refused = await desk.sent("check", content, name)
        assert refused.status_code == 422
        assert 'role="alert"' in refused.text


async def test_the_bank_is_filtered_and_exported(desk: Desk) -> None:
    shown = text_of(await desk.bank(difficulty="1", category="健康素养", q="洗手"))
    assert "饭前要洗手吗 1？" in shown
    assert "A. 要 正确" in shown
    assert "没有符合条件的题目" in text_of(await desk.bank(difficulty="3"))
    answer = await desk.client.get(f"{PAGE}/export.xlsx", params={"campaign": desk.slug})
    assert any("饭前要洗手吗 1？" in row.cells for row in read_rows(answer.content))
    answer = await desk.client.get(f"{PAGE}/{desk.slug}/import/template.xlsx")
    assert answer.content.startswith(b"PK")


async def test_statistics_say_what_they_stand_on(desk: Desk) -> None:
    page = await desk.client.get(f"{PAGE}/statistics", params={"campaign": desk.slug})
    assert "数据不足" in text_of(page)
    assert "共 3 条" in text_of(page)
    none = await desk.client.get(
        f"{PAGE}/statistics", params={"campaign": desk.slug, "verdict": "misleading"}
    )
    assert "没有这样评价的题目" in text_of(none)
    answer = await desk.client.get(f"{PAGE}/statistics.xlsx", params={"campaign": desk.slug})
    assert any("数据不足" in row.cells for row in read_rows(answer.content))


async def test_a_question_is_retired_with_a_reason_and_used_again(desk: Desk) -> None:
    page = await desk.bank()
    action = page.text.partition(f'action="{PAGE}/{desk.slug}/')[2].partition('"')[0]
    form = form_of(page)
    refused = await desk.client.post(f"{PAGE}/{desk.slug}/{action}", data={**form, "reason": " "})
    assert (refused.status_code, 'role="alert"' in refused.text) == (422, True)
    done = await desk.client.post(f"{PAGE}/{desk.slug}/{action}", data={**form, "reason": "表述不清"})
    assert done.headers["location"].endswith("done=retire")
    retired = await desk.bank(state="retired")
    assert "表述不清" in text_of(retired)
    again = action.replace("/retire", "/reactivate")
    assert f"{desk.slug}/{again}" in retired.text
    done = await desk.client.post(f"{PAGE}/{desk.slug}/{again}", data={**form_of(retired), "reason": "已改"})
    assert done.headers["location"].endswith("done=reactivate")


async def test_several_are_retired_from_the_statistics_all_or_none(desk: Desk) -> None:
    address = f"{PAGE}/statistics"
    page = await desk.client.get(address, params={"campaign": desk.slug})
    ids = re.findall(r'name="question_id" value="(\d+)"', page.text)
    assert len(ids) == 3
    form = {**form_of(page), "reason": "测试停用"}

    async def sent(**fields: object) -> httpx.Response:
        return await desk.client.post(f"{PAGE}/{desk.slug}/retire", data={**form, **fields})

    refused = await sent(question_id=ids[:2], reason=" ")
    assert (refused.status_code, refused.text.count(" checked>")) == (422, 2)
    unknown = await sent(question_id=[ids[0], "999999999"], request_no="one")
    assert (unknown.status_code, "测试停用" in unknown.text) == (404, True)
    assert "共 3 条" in text_of(await desk.bank())
    nothing = await sent(request_no="none")
    assert nothing.status_code == 422
    done = await sent(question_id=ids[:2], request_no="two")
    assert done.headers["location"].endswith("done=2")
    assert (await sent(question_id=ids[:2], request_no="two")).headers["location"].endswith("done=2")
    again = await sent(question_id=ids[1:], request_no="three")
    assert again.headers["location"].endswith("done=1")
    retired = await desk.bank(state="retired")
    assert text_of(retired).count("测试停用") == 3


async def test_auditors_read_the_bank_and_change_nothing(desk: Desk, kit: Kit) -> None:
    operator = desk.client.cookies
    desk.client.cookies = httpx.Cookies()
    signed_in(desk.client, await signed_in_staff(kit, Role.AUDITOR))
    page = await desk.bank()
    assert ("/retire" in page.text, f"{desk.slug}/import" in page.text) == (False, False)
    assert (await desk.sent("check", HEADER + GOOD)).status_code == 403
    assert (await desk.client.get(f"{PAGE}/export.xlsx", params={"campaign": desk.slug})).status_code == 403
    desk.client.cookies = httpx.Cookies()
    signed_in(desk.client, await signed_in_staff(kit, Role.HOSPITAL, hospital_id="none"))
    for path in ("", "/statistics", f"/{desk.slug}/import"):
        assert (await desk.client.get(f"{PAGE}{path}")).status_code == 403
    desk.client.cookies = operator
    assert (await desk.client.get(PAGE, params={"campaign": "unheard-of"})).status_code == 404
