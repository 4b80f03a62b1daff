"""The bureau's own templates: in versions, tried before they are used; and what the documents say more."""

import io
import secrets
import zipfile
from collections.abc import AsyncIterator
from datetime import datetime
from urllib.parse import quote

import httpx
import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from python_calamine import CalamineWorkbook
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.quota.app import create_app
from shared.clock import CHINA, ManualClock
from shared.kit import Kit
from shared.settings import Settings
from tests.support.http import serving
from tests.support.quota import API, Bureau, Programme, bureau_of, many

HOSPITALS = [("东部", "甲", 30), ("东部", "乙", 30), ("西部", "丙", 20), ("", "丁", 20)]


@pytest.fixture(scope="module")
def settings(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings.model_copy(update={"objects_dir": tmp_path_factory.mktemp("objects"), "demo": False})


@pytest.fixture(scope="module")
async def client(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(quota=create_app(settings, clock=clock)) as client:
        yield client


@pytest.fixture(scope="module")
async def bureau(client: httpx.AsyncClient, kit: Kit) -> Bureau:
    return await bureau_of(client, kit)


@pytest.fixture
async def programme(bureau: Bureau, clock: ManualClock) -> Programme:
    """丙 met its quota in August, 甲 and 乙 are on their way, 丁 has nothing; the end is in December."""
    clock.set(datetime(2020, 9, 2, 9, 0, tzinfo=CHINA))
    made = await bureau.programme(
        f"template-{secrets.token_hex(4)}",
        *HOSPITALS,
        total=100,
        ends_on="2020-12-31",
        title="2020年发卡任务",
    )
    await made.send(
        *many(made, "甲", 10, "2020-08-10"),
        *many(made, "乙", 4, "2020-08-20"),
        *many(made, "丙", 20, "2020-08-12"),
    )
    await bureau.approved(f"{made.path}/rankings/freeze", {"month": "2020-08"})
    return made


def own_template(*texts: str) -> bytes:
    document = Document()
    for said in texts:
        document.add_paragraph(said)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def said(content: bytes) -> list[str]:
    return [paragraph.text for paragraph in Document(io.BytesIO(content)).paragraphs]


async def read(bureau: Bureau, path: str, *, status: int = 200) -> bytes:
    answer = await bureau.client.get(f"{API}/{path}", headers=bureau.operator)
    assert answer.status_code == status, answer.text
    return answer.content


async def put(bureau: Bureau, programme: Programme, content: bytes) -> httpx.Response:
    return await bureau.client.put(
        f"{API}/{programme.path}/bulletin-template",
        files={"file": ("t.docx", content)},
        headers=bureau.operator,
    )


class TestVersions:
    async def test_every_template_that_was_in_use_can_be_fetched_and_used_again(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        first, second = own_template("一 {{ issued }}"), own_template("二 {{ issued }}")
        assert (await put(bureau, programme, first)).json()["version"] == 1
        assert (await put(bureau, programme, second)).json()["version"] == 2
        assert (await put(bureau, programme, second)).json()["version"] == 2
        dropped = await bureau.client.delete(
            f"{API}/{programme.path}/bulletin-template", headers=bureau.operator
        )
        assert (dropped.json()["version"], dropped.json()["default"]) == (3, True)
        listed = (await bureau.get(f"{programme.path}/bulletin-template/versions"))["items"]
        assert [(item["version"], item["default"]) for item in listed] == [(3, True), (2, False), (1, False)]
        assert all(item["put_by"] and item["put_at"].endswith("+08:00") for item in listed)
        kept = await read(bureau, f"{programme.path}/bulletin-template?version=1")
        assert kept == first
        assert (await put(bureau, programme, kept)).json()["version"] == 4
        made = await read(bureau, f"{programme.path}/bulletin.docx?month=2020-08")
        assert said(made) == ["一 34"]
        await read(bureau, f"{programme.path}/bulletin-template?version=9", status=404)
        assert (await bureau.get(f"{programme.path}/reminder-template/versions"))["items"] == []

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"no document at all", "file_unreadable"),
            (own_template("{{ issued "), "template_syntax"),
            (own_template("{%p if flagged %}", "x"), "template_syntax"),
            (own_template("{{ rows[0].hospital }}"), "template_construct"),
            (own_template("{{ money }}"), "placeholder_unknown"),
        ],
    )
    async def test_a_broken_template_is_refused_with_its_fault_and_is_no_version(
        self, bureau: Bureau, programme: Programme, content: bytes, code: str
    ) -> None:
        refused = await put(bureau, programme, content)
        assert refused.status_code == 422
        assert [fault["code"] for fault in refused.json()["errors"]] == [code]
        assert (await bureau.get(f"{programme.path}/bulletin-template/versions"))["items"] == []

    async def test_a_version_is_never_rewritten(self, bureau: Bureau, programme: Programme) -> None:
        await put(bureau, programme, own_template("x"))
        with pytest.raises(DBAPIError, match="append"):
            async with bureau.kit.database.transaction() as tx:
                await tx.execute(text("UPDATE quota.document_template SET sha256 = NULL"))


class TestNotice:
    async def test_its_form_is_that_of_the_standard(self, bureau: Bureau, programme: Programme) -> None:
        words = f"issuer={quote('某局')}&number={quote('某字1号')}&copies={quote('市府办')}"
        made = await read(bureau, f"{programme.path}/bulletin.docx?month=2020-08&{words}")
        document = Document(io.BytesIO(made))
        page = document.sections[0]
        margins = (page.top_margin, page.bottom_margin, page.left_margin, page.right_margin)
        assert [round((margin or 0) / Mm(1)) for margin in margins] == [37, 35, 28, 26]
        assert round((page.page_height or 0) / Mm(1)) == 297
        body = next(p for p in document.paragraphs if p.text.startswith("现将"))
        assert body.paragraph_format.line_spacing == Pt(28.95)
        assert body.paragraph_format.first_line_indent == Pt(32)
        # 22 lines, and no 23rd, between the margins; 28 characters, each a quarter of a point nearer.
        assert Mm(297 - 37 - 35) // Pt(28.95) == 22
        spaced = {one.get(qn("w:val")) for run in body.runs for one in run._r.iter(qn("w:spacing"))}
        assert spaced == {"-5"}
        assert Mm(210 - 28 - 26) // Pt(16 - 0.25) == 28
        assert {run.font.name for run in body.runs} == {"仿宋_GB2312"}
        frames = document.element.body.iter(qn("w:framePr"))
        assert [frame.get(qn("w:yAlign")) for frame in frames] == ["bottom", "bottom"]

    async def test_the_year_with_which_the_programmes_name_begins_is_not_said_twice(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        lines = said(await read(bureau, f"{programme.path}/bulletin.docx?month=2020-08"))
        assert "关于2020年发卡任务8月进展情况的通报" in lines
        assert any(line.startswith("现将2020年发卡任务8月进展情况通报如下") for line in lines)

    async def test_attachments_are_named_below_the_text(self, bureau: Bureau, programme: Programme) -> None:
        path = f"{programme.path}/bulletin.docx?month=2020-08"
        two = said(await read(bureau, f"{path}&attachments={quote('分解表')}&attachments={quote('名单')}"))
        assert two[two.index("附件：1．分解表") + 1] == "　　　2．名单"
        assert "附件：分解表" in said(await read(bureau, f"{path}&attachments={quote('分解表')}"))
        assert not any("附件" in line for line in said(await read(bureau, path)))
        await read(bureau, f"{path}&attachments=", status=422)

    async def test_what_the_bureau_keeps_stands_on_it_unless_a_request_says_otherwise(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        path = f"{programme.path}/bulletin.docx?month=2020-08"
        bare = said(await read(bureau, path))
        assert bare[:2] == ["关于2020年发卡任务8月进展情况的通报", "各有关单位："]
        assert not [line for line in bare if "发文机关" in line or "发文字号" in line or "抄送" in line]
        words = {"issuer": "某局", "addressees": "各医院", "copies": "市府办", "red_head": True}
        url = f"{API}/{programme.path}/bulletin-words"
        for _ in range(2):
            answer = await bureau.client.put(url, json=words, headers=bureau.operator)
            assert answer.status_code == 200, answer.text
            assert (answer.json()["version"], answer.json()["words"]) == (1, words)
        assert (await bureau.client.put(url, json=words, headers=bureau.auditor)).status_code == 403
        assert (await bureau.client.put(url, json={"seal": "x"}, headers=bureau.operator)).status_code == 422
        kept = said(await read(bureau, path))
        assert (kept[0], kept[3], "抄送：市府办。" in kept) == ("某局", "各医院：", True)
        assert said(await read(bureau, f"{path}&issuer={quote('某委')}"))[0] == "某委"
        versions = (
            await bureau.client.get(
                f"{API}/{programme.path}/bulletin-template/versions", headers=bureau.operator
            )
        ).json()["items"]
        assert [(one["version"], one["default"], one["worded"]) for one in versions] == [(1, True, True)]

    async def test_without_a_red_head_its_place_stays_free(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        words = f"month=2020-08&issuer={quote('某局')}&number={quote('某字1号')}"
        red = said(await read(bureau, f"{programme.path}/bulletin.docx?{words}"))
        plain = said(await read(bureau, f"{programme.path}/bulletin.docx?{words}&red_head=false"))
        assert red[:2] == ["某局", "某字1号"]
        assert plain[0] == "某字1号"
        assert red[2:] == plain[1:]

    async def test_who_is_likely_to_miss_is_warned_in_the_notice_and_in_the_workbook(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        ranking = {item["hospital"]: item for item in (await programme.ranking("2020-08"))["items"]}
        likely = [name for name, item in ranking.items() if float(item["miss_probability"]) >= 0.5]
        assert set(likely) == {"乙", "丁"}
        lines = said(await read(bureau, f"{programme.path}/bulletin.docx?month=2020-08"))
        (warning,) = [line for line in lines if "可能性不足一半" in line]
        assert warning.endswith("请提前采取措施：丁、乙。")
        book = CalamineWorkbook.from_filelike(
            io.BytesIO(await read(bureau, f"{programme.path}/bulletin.xlsx?month=2020-08"))
        )
        assert book.sheet_names == ["合计", "预警", "西部", "东部", "独立单位"]
        rows = book.get_sheet_by_name("预警").to_python()
        listed = rows[next(place for place, row in enumerate(rows) if row[0] == "医疗机构") + 1 :]
        assert [(row[0], row[4], row[6]) for row in listed if row[0]] == [
            ("丁", 20, float(ranking["丁"]["miss_probability"])),
            ("乙", 26, float(ranking["乙"]["miss_probability"])),
        ]

    async def test_a_letter_says_what_every_working_day_needs(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await programme.send(*many(programme, "丁", 9, "2020-09-01"))
        with zipfile.ZipFile(
            io.BytesIO(await read(bureau, f"{programme.path}/reminders.zip?month=2020-08"))
        ) as archive:
            letters = {name: said(archive.read(name)) for name in archive.namelist()}
        # As of the frozen month's end: 26 cards in 82 working days, whatever came since.
        assert "自上述统计月末起，须每个工作日发卡1张，方能按期完成任务。" in letters["002-乙.docx"]
        assert not any("每个工作日" in line for line in said(await self.letter(bureau, programme, "丙")))

    async def letter(self, bureau: Bureau, programme: Programme, name: str) -> bytes:
        return await read(bureau, f"hospitals/{programme.id(name)}/reminder.docx?month=2020-08")
