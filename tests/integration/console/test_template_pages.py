"""Document templates as a page: words, templates in versions, and the report; roles and refusals."""

import io
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

import httpx
import pytest
from docx import Document

from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import publish_campaign
from tests.support.pages import form_of, signed_in, text_of, whole_console
from tests.support.people import signed_in_staff
from tests.support.quota import bureau_of

PAGE = "/console/templates"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SAID = {"issuer": "某州卫生健康委员会", "number": "某卫发〔2020〕8号", "addressees": "州政府", "copies": ""}


@dataclass
class Shown:
    client: httpx.AsyncClient
    campaign: str
    programme: str

    async def get(self, path: str, of: str, **query: str) -> httpx.Response:
        return await self.client.get(f"{PAGE}{path}", params={"of": of, **query})

    async def sent(self, of: str, action: str, **fields: str) -> httpx.Response:
        form = form_of(await self.get("", of))
        return await self.client.post(f"{PAGE}/{action}", data={**form, "of": of, **fields})

    async def uploaded(self, of: str, kind: str, content: bytes) -> httpx.Response:
        form = form_of(await self.get("", of))
        files = {"file": ("模板.docx", content, DOCX)}
        return await self.client.post(f"{PAGE}/{kind}", data={**form, "of": of}, files=files)


@pytest.fixture(scope="module")
async def shown(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Shown]:
    async with whole_console(settings, clock) as client:
        bureau = await bureau_of(client, kit)
        programme = await bureau.programme(
            f"papers-{secrets.token_hex(4)}", ("", "市人民医院", 10), total=10, title="发卡任务"
        )
        campaign = await publish_campaign(kit)
        page = signed_in(client, await signed_in_staff(kit, Role.OPERATOR))
        yield Shown(page, f"campaign:{campaign.slug}", f"programme:{programme.slug}")


def lines(content: bytes) -> list[str]:
    return [paragraph.text for paragraph in Document(io.BytesIO(content)).paragraphs]


async def test_the_report_says_what_the_page_was_told(shown: Shown) -> None:
    bare = lines((await shown.get("/report", shown.campaign)).content)
    assert bare[0].endswith("工作情况报告")
    own = {"problems": "宣传不足。\r\n\r\n网点偏少。", "next_steps": "增设网点。"}
    saved = await shown.sent(shown.campaign, "report/words", **SAID, red_head="true", **own)
    assert saved.status_code == 303, text_of(saved)
    page = await shown.get("", shown.campaign, done="words")
    assert SAID["issuer"] in page.text
    made = lines((await shown.get("/report", shown.campaign, dated="2020-11-06")).content)
    assert made[:2] == [SAID["issuer"], SAID["number"]]
    assert "州政府：" in made
    problems = made[made.index("三、存在问题") : made.index("四、下一步工作")]
    assert [
        line[line.index("）") + 1 :] for line in problems if line.endswith(("宣传不足。", "网点偏少。"))
    ] == [
        "宣传不足。",
        "网点偏少。",
    ]
    assert any(line.endswith("）增设网点。") for line in made)
    assert "2020年11月6日" in made
    numbered = lines((await shown.get("/report", shown.campaign, number="某卫发〔2020〕9号")).content)
    assert numbered[1] == "某卫发〔2020〕9号"


async def test_a_template_is_fetched_replaced_and_dropped(shown: Shown) -> None:
    for of, kind in ((shown.campaign, "report"), (shown.programme, "bulletin")):
        template = await shown.get(f"/{kind}.docx", of)
        assert template.content[:2] == b"PK"
        refused = await shown.uploaded(of, kind, b"no document")
        assert (refused.status_code, 'role="alert"' in refused.text) == (422, True)
        assert (await shown.uploaded(of, kind, template.content)).status_code == 303
        assert "version=" in (await shown.get("", of)).text
        assert (await shown.sent(of, kind)).status_code == 303
        assert (await shown.get("/letter.docx", of)).status_code == 404
    assert (await shown.get("", "elsewhere:x")).status_code == 404


async def test_what_was_typed_stays_when_it_is_refused(shown: Shown) -> None:
    refused = await shown.sent(shown.campaign, "report/words", issuer="某" * 300)
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    assert "某" * 300 in refused.text


async def test_auditors_look_and_institutions_do_not(shown: Shown, kit: Kit) -> None:
    cookies = dict(shown.client.cookies)
    try:
        signed_in(shown.client, await signed_in_staff(kit, Role.AUDITOR))
        looked = await shown.get("", shown.programme)
        assert looked.status_code == 200
        assert 'method="post" action="/console/templates' not in looked.text
        assert (await shown.sent(shown.programme, "bulletin/words", issuer="x")).status_code == 403
        signed_in(shown.client, await signed_in_staff(kit, Role.INSTITUTION, institution_id="i1"))
        assert (await shown.get("", shown.programme)).status_code == 403
        assert (await shown.get(f"/report.docx?x={quote('x')}", shown.campaign)).status_code == 403
    finally:
        for name, value in cookies.items():
            shown.client.cookies.set(name, value, path="/console")
