"""The monthly notice: every figure is the frozen edition's, and nobody reads what is not theirs."""

import io
import secrets
import zipfile
from collections.abc import AsyncIterator
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree as ET

import httpx
import pytest
from docx import Document
from python_calamine import CalamineWorkbook

from services.quota.app import create_app
from services.quota.bulletins import operations
from shared.clock import CHINA, ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.http import serving
from tests.support.people import signed_in_staff
from tests.support.quota import API, Bureau, Json, Programme, bureau_of, event, many

HOSPITALS = [("东部/医共体", "甲", 30), ("东部/医共体", "=乙<&>", 30), ("西部", "丙", 20), ("", "丁", 20)]
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


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
    """Quotas 30, 30, 20, 20; in August 甲 had 10, 乙 7, 丙 20, one card without a hospital."""
    clock.set(datetime(2020, 9, 10, 9, 5, tzinfo=CHINA))
    made = await bureau.programme(f"told-{secrets.token_hex(4)}", *HOSPITALS, total=100, title="发卡任务")
    await made.send(
        *many(made, "甲", 10, "2020-08-10"),
        *many(made, "=乙<&>", 7, "2020-08-10"),
        *many(made, "丙", 20, "2020-08-10"),
        event(secrets.token_hex(4), "2020-08-11"),
    )
    return made


async def freeze(programme: Programme, **fields: Json) -> None:
    await programme.bureau.approved(f"{programme.path}/rankings/freeze", {"month": "2020-08", **fields})


async def read(bureau: Bureau, path: str, *, headers: dict[str, str] | None = None) -> bytes:
    answer = await bureau.client.get(f"{API}/{path}", headers=headers or bureau.operator)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    return answer.content


async def send(
    bureau: Bureau, programme: Programme, kind: str, content: bytes, *, headers: dict[str, str] | None = None
) -> httpx.Response:
    return await bureau.client.put(
        f"{API}/{programme.path}/{kind}-template",
        files={"file": ("t.docx", content)},
        headers=headers or bureau.operator,
    )


def xml_of(content: bytes, part: str = "word/document.xml") -> ET.Element:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return ET.fromstring(archive.read(part))  # noqa: S314 - our own output


def lines(content: bytes) -> list[str]:
    """The paragraphs, read without the library that wrote them."""
    return ["".join(paragraph.itertext()) for paragraph in xml_of(content).iter(f"{W}p")]


def tables(content: bytes) -> list[list[list[str]]]:
    return [
        [["".join(cell.itertext()) for cell in row.iter(f"{W}tc")] for row in table.iter(f"{W}tr")]
        for table in xml_of(content).iter(f"{W}tbl")
    ]


def heads(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [name for name in archive.namelist() if name.startswith("word/header")]
    return "|".join("".join(xml_of(content, part).itertext()) for part in parts)


def own_template(*texts: str) -> bytes:
    document = Document()
    for text in texts:
        document.add_paragraph(text)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def per_cent(item: Json) -> str:
    hundredths = Decimal(item["issued"] * 100) / Decimal(item["quota"])
    return f"{hundredths.quantize(Decimal('0.01'), rounding=ROUND_HALF_UP)}%"


async def test_every_figure_is_the_frozen_editions(bureau: Bureau, programme: Programme) -> None:
    await freeze(programme)
    ranking = await programme.ranking("2020-08")
    made = await read(bureau, f"{programme.path}/bulletin.docx?month=2020-08")
    alliances, listed = tables(made)
    assert listed[1:-1] == [
        [
            str(item["rank"]),
            item["hospital"],
            item["alliance"],
            str(item["quota"]),
            str(item["month_issued"]),
            str(item["issued"]),
            per_cent(item),
            "—",
            "未达标且列末三位" if item["flagged"] else "",
        ]
        for item in ranking["items"]
    ]
    assert listed[-1][3:7] == ["100", "37", "37", "37.00%"]
    assert [row[:5] for row in alliances[1:]] == [
        ["西部", "1", "20", "20", "20"],
        ["东部/医共体", "2", "60", "17", "17"],
        ["丁", "1", "20", "0", "0"],
        ["合计", "4", "100", "37", "37"],
    ]
    text = "\n".join(lines(made))
    assert "现将2020年8月发卡任务进展情况通报如下（数据截至2020年9月10日9时05分，第1版）。" in text
    assert "累计发卡37张，完成率37.00%。4家医疗机构中，1家已完成任务。另有1张尚未归属" in text
    assert "予以通报：甲、=乙<&>、丁。" in text
    assert "2020年9月10日" in text
    assert heads(made) == ""


async def test_later_events_do_not_change_a_frozen_months_documents(
    bureau: Bureau, programme: Programme, clock: ManualClock
) -> None:
    await freeze(programme)
    paths = [f"{programme.path}/bulletin.docx?month=2020-08", f"{programme.path}/bulletin.xlsx?month=2020-08"]
    before = [await read(bureau, path) for path in paths]
    await programme.send(*many(programme, "丁", 9, "2020-08-20"))
    await programme.allocate(200)
    clock.set(datetime(2020, 9, 20, 9, 0, tzinfo=CHINA))
    after = [await read(bureau, path) for path in paths]
    assert lines(after[0]) == lines(before[0])
    assert sheets(after[1]) == sheets(before[1])


async def test_what_is_not_frozen_says_that_it_is_a_draft_and_of_when(
    bureau: Bureau, programme: Programme
) -> None:
    made = await read(bureau, f"{programme.path}/bulletin.docx?month=2020-08")
    assert heads(made).count("草稿（未冻结）　数据截至2020年9月10日9时05分") == 2
    assert "DEMONSTRATION" not in heads(made)
    assert "第1版" not in "".join(lines(made))
    (mark, *_), *_ = sheets(await read(bureau, f"{programme.path}/bulletin.xlsx?month=2020-08"))["合计"]
    assert mark == "草稿（未冻结）　数据截至2020年9月10日9时05分"
    await programme.send(*many(programme, "丁", 2, "2020-08-20"))
    changed = await read(bureau, f"{programme.path}/bulletin.docx?month=2020-08")
    assert tables(changed)[1][-1][5] == "39"


async def test_a_correction_says_so_and_the_first_edition_stays(bureau: Bureau, programme: Programme) -> None:
    await freeze(programme)
    await programme.send(*many(programme, "丁", 9, "2020-08-20"))
    await programme.allocate(50)
    await freeze(programme, reason="任务数更正")
    second = lines(await read(bureau, f"{programme.path}/bulletin.docx?month=2020-08"))
    assert "关于2020年8月发卡任务进展情况的通报（更正）" in second
    assert "本通报为更正版，更正说明：任务数更正。" in second
    first = await read(bureau, f"{programme.path}/bulletin.docx?month=2020-08&edition=1")
    assert "（更正）" not in "".join(lines(first))
    assert tables(first)[1][-1][3] == "100"
    await bureau.get(f"{programme.path}/bulletin.docx?month=2020-08&edition=3", status=404)


async def test_issuer_number_and_date_are_the_bureaus_words(bureau: Bureau, programme: Programme) -> None:
    words = "&".join(
        f"{key}={quote(value)}"
        for key, value in {
            "issuer": "某某市卫生健康局",
            "number": "某卫〔2020〕18号",
            "addressees": "各医共体",
            "copies": "市政府办公室",
            "dated": "2020-09-15",
        }.items()
    )
    said = lines(await read(bureau, f"{programme.path}/bulletin.docx?month=2020-08&{words}"))
    assert said[:2] == ["某某市卫生健康局", "某卫〔2020〕18号"]
    assert said[3] == "各医共体："
    assert said[-4:] == [
        "某某市卫生健康局",
        "2020年9月15日",
        "抄送：市政府办公室。",
        "某某市卫生健康局2020年9月15日印发",
    ]


@pytest.mark.parametrize("query", ["month=2020-13", "dated=2020-02-30", "edition=0"])
async def test_what_cannot_be_asked_is_refused(bureau: Bureau, programme: Programme, query: str) -> None:
    await bureau.get(f"{programme.path}/bulletin.docx?{query}", status=422)


def sheets(content: bytes) -> dict[str, list[list[Json]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


async def test_the_workbook_has_a_sheet_for_each_alliance_that_adds_up_to_the_total(
    bureau: Bureau, programme: Programme
) -> None:
    await freeze(programme)
    ranking = await programme.ranking("2020-08")
    found = sheets(await read(bureau, f"{programme.path}/bulletin.xlsx?month=2020-08"))
    assert list(found) == ["合计", "西部", "东部_医共体", "独立单位"]

    def rows(sheet: str) -> list[list[Json]]:
        head = next(place for place, row in enumerate(found[sheet]) if row[0] == "名次")
        end = next(place for place, row in enumerate(found[sheet]) if place > head and row[0] == "合计")
        return found[sheet][head + 1 : end + 1]

    assert [row[:6] for row in rows("合计")[:-1]] == [
        [
            item["rank"],
            item["hospital"],
            item["alliance"],
            item["quota"],
            item["month_issued"],
            item["issued"],
        ]
        for item in ranking["items"]
    ]
    assert all(isinstance(row[6], float) for row in rows("合计"))
    assert [row[6] for row in rows("合计")] == [1, 0.3333, 0.2333, 0, 0.37]
    for place in (3, 4, 5):
        parts = sum(rows(sheet)[-1][place] for sheet in list(found)[1:])
        assert parts == rows("合计")[-1][place]


async def test_text_of_the_workbook_is_never_a_formula(bureau: Bureau, programme: Programme) -> None:
    made = await read(bureau, f"{programme.path}/bulletin.xlsx?month=2020-08")
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        parts = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    assert parts
    assert not any(b"<f>" in part for part in parts)


async def test_a_reminder_tells_one_hospital_its_figures(bureau: Bureau, programme: Programme) -> None:
    await freeze(programme)
    said = lines(await read(bureau, f"hospitals/{programme.id('=乙<&>')}/reminder.docx?month=2020-08"))
    assert "=乙<&>：" in said
    (figures,) = (line for line in said if "任务数为" in line)
    assert "任务数为30张，2020年8月发卡7张，累计发卡7张，完成率23.33%（全市完成率37.00%）" in figures
    assert "在4家参加排名的单位中列第3名，距完成任务还差23张。" in figures
    assert "你单位未完成任务且排名列末三位，已列入当月通报名单。" in said
    praised = lines(await read(bureau, f"hospitals/{programme.id('丙')}/reminder.docx?month=2020-08"))
    assert not any("末三位" in line for line in praised)


async def test_flagged_hospitals_letters_come_as_one_archive(bureau: Bureau, programme: Programme) -> None:
    await freeze(programme)
    path = f"{programme.path}/reminders.zip?month=2020-08"
    with zipfile.ZipFile(io.BytesIO(await read(bureau, path))) as archive:
        assert archive.namelist() == ["001-甲.docx", "002-=乙_&_.docx", "003-丁.docx"]
        assert "丁：" in lines(archive.read("003-丁.docx"))
    with zipfile.ZipFile(io.BytesIO(await read(bureau, f"{path}&everybody=true"))) as archive:
        assert len(archive.namelist()) == 4


async def test_where_nobody_is_flagged_nobody_is_reminded(bureau: Bureau, programme: Programme) -> None:
    await programme.send(
        *many(programme, "甲", 30, "2020-08-12"),
        *many(programme, "=乙<&>", 30, "2020-08-12"),
        *many(programme, "丁", 20, "2020-08-12"),
    )
    refused = await bureau.get(f"{programme.path}/reminders.zip?month=2020-08", status=404)
    assert refused["code"] == "nobody_to_remind"
    said = "".join(lines(await read(bureau, f"{programme.path}/bulletin.docx?month=2020-08")))
    assert "本月没有未完成任务且排名列末三位的单位。" in said


async def test_letters_beyond_what_one_request_can_take_are_refused(
    bureau: Bureau, programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "LETTERS_MAX", 2)
    refused = await bureau.get(f"{programme.path}/reminders.zip?month=2020-08", status=409)
    assert refused["code"] == "too_many_letters"


async def test_a_hospital_reads_its_own_reminder_only(bureau: Bureau, programme: Programme) -> None:
    own = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=programme.id("丙"))
    await read(bureau, f"hospitals/{programme.id('丙')}/reminder.docx?month=2020-08", headers=own)
    for path in (
        f"hospitals/{programme.id('甲')}/reminder.docx",
        "hospitals/hos_nobody/reminder.docx",
        f"{programme.path}/bulletin.docx",
        f"{programme.path}/bulletin.xlsx",
        f"{programme.path}/reminders.zip",
        f"{programme.path}/bulletin-template",
    ):
        await bureau.get(f"{path}?month=2020-08", status=403, headers=own)
    assert (await send(bureau, programme, "bulletin", b"", headers=own)).status_code == 403
    assert (await send(bureau, programme, "bulletin", b"", headers=bureau.auditor)).status_code == 403


async def test_what_does_not_exist_is_not_found(bureau: Bureau) -> None:
    for path in ("programmes/none/bulletin.docx", "hospitals/hos_none/reminder.docx"):
        await bureau.get(f"{path}?month=2020-08", status=404)


async def test_in_a_demonstration_every_document_says_so(
    settings: Settings, clock: ManualClock, bureau: Bureau, programme: Programme
) -> None:
    await freeze(programme)
    shown = settings.model_copy(update={"demo": True, "environment": "local"})
    async with serving(quota=create_app(shown, clock=clock)) as client:
        for path in (
            f"{programme.path}/bulletin.docx",
            f"hospitals/{programme.id('丙')}/reminder.docx",
        ):
            answer = await client.get(f"{API}/{path}?month=2020-08", headers=bureau.operator)
            assert heads(answer.content).count("演示数据 DEMONSTRATION") == 2
        answer = await client.get(
            f"{API}/{programme.path}/bulletin.xlsx?month=2020-08", headers=bureau.operator
        )
        assert all(rows[0][0] == "演示数据 DEMONSTRATION" for rows in sheets(answer.content).values())


class TestTemplate:
    async def test_the_bureaus_own_one_is_used_until_it_is_dropped(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        put = await send(bureau, programme, "bulletin", own_template("局：{{ month }} {{ issued }}"))
        assert put.status_code == 200, put.text
        assert (put.json()["kind"], put.json()["default"]) == ("bulletin", False)
        path = f"{programme.path}/bulletin.docx?month=2020-08"
        made = await read(bureau, path)
        assert lines(made) == ["局：2020年8月 37"]
        assert "草稿（未冻结）" in heads(made)
        kept = await read(bureau, f"{programme.path}/bulletin-template")
        assert lines(kept) == ["局：{{ month }} {{ issued }}"]
        letter = await read(bureau, f"hospitals/{programme.id('丙')}/reminder.docx?month=2020-08")
        assert "特此函告。" in lines(letter)
        dropped = await bureau.client.delete(
            f"{API}/{programme.path}/bulletin-template", headers=bureau.operator
        )
        assert dropped.json()["default"] is True
        assert "一、总体情况" in lines(await read(bureau, path))

    @pytest.mark.parametrize("kind", ["bulletin", "reminder"])
    async def test_the_default_one_can_be_handed_back(
        self, bureau: Bureau, programme: Programme, kind: str
    ) -> None:
        default = await read(bureau, f"{programme.path}/{kind}-template")
        answer = await send(bureau, programme, kind, default)
        assert answer.status_code == 200, answer.text
        assert set(answer.json()["lists"]) == (
            {"rows", "flagged", "warned", "alliances", "attachments"}
            if kind == "bulletin"
            else {"attachments"}
        )

    async def test_unknown_placeholders_are_named_and_nothing_changes(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        content = own_template("{{ 完成 }}", "{%p for row in rows %}", "{{ row.money }}", "{%p endfor %}")
        refused = await send(bureau, programme, "bulletin", content)
        assert refused.status_code == 422
        assert [(fault["code"], fault["message"]) for fault in refused.json()["errors"]] == [
            ("placeholder_unknown", "未知的占位符：完成"),
            ("placeholder_unknown", "未知的占位符：row.money"),
        ]
        assert "一、总体情况" in lines(await read(bureau, f"{programme.path}/bulletin.docx?month=2020-08"))

    async def test_there_are_two_kinds(self, bureau: Bureau, programme: Programme) -> None:
        assert (await send(bureau, programme, "other", own_template("x"))).status_code == 422
        nowhere = Programme(bureau, "nowhere", programme.platform, [])
        assert (await send(bureau, nowhere, "bulletin", own_template("x"))).status_code == 404

    async def test_a_template_whose_file_is_lost_is_said_to_be(
        self, bureau: Bureau, programme: Programme, settings: Settings
    ) -> None:
        text = secrets.token_hex(4)
        address = (await send(bureau, programme, "bulletin", own_template(text))).json()["sha256"]
        folder = settings.objects_dir or Path()
        (folder / address[:2] / address[2:4] / address).unlink()
        refused = await bureau.get(f"{programme.path}/bulletin.docx?month=2020-08", status=409)
        assert refused["code"] == "template_not_kept"
