"""The bank is filled by hand or by file; the same question is in it once."""

import io
import zipfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import xlsxwriter
import yaml
from sqlalchemy import text

from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from shared.kit import Kit
from tests.support.campaigns import Published, publish_campaign
from tests.support.desk import Desk
from tests.support.people import signed_in_staff

BANK = Path(__file__).resolve().parents[3] / "deploy" / "demo_data" / "honghe_questions.yaml"
_numbers = count(1)


def sound(**parts: object) -> dict[str, Any]:
    question = {
        "text": f"第 {next(_numbers)} 题：饭前要做什么？",
        "options": {"A": "洗手", "B": "跑步"},
        "answer": ["A"],
        "explanation": "饭前洗手。",
    }
    return question | parts


def url(campaign: Published) -> str:
    return f"/issuance/v1/campaigns/{campaign.slug}/questions"


async def add(desk: Desk, campaign: Published, *questions: dict[str, Any], **parts: object) -> httpx.Response:
    return await desk.propose(url(campaign), {"questions": list(questions)} | parts)


async def upload(
    desk: Desk, campaign: Published, content: bytes, *, dry_run: bool = False, name: str = "questions.csv"
) -> httpx.Response:
    return await desk.client.post(
        f"{url(campaign)}/import?dry_run={str(dry_run).lower()}",
        files={"file": (name, content)},
        headers=desk.one,
    )


async def bank(kit: Kit, campaign: Published) -> tuple[int, list[Any]]:
    """Its version, and its questions in the order in which they came."""
    async with kit.database.snapshot() as tx:
        values = {"id": campaign.id}
        version = await tx.execute(
            text("SELECT bank_version FROM issuance.campaign_rules WHERE campaign_id = :id"), values
        )
        found = await tx.execute(
            text("SELECT * FROM issuance.question WHERE campaign_id = :id ORDER BY id"), values
        )
        return version.scalar_one(), list(found)


def workbook(rows: Sequence[Sequence[object]]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


async def test_what_is_right_is_taken_and_what_is_not_is_named(desk: Desk, kit: Kit) -> None:
    campaign = await publish_campaign(kit)
    twice = sound()
    answer = await add(
        desk, campaign, twice, sound(answer=["C"]), twice, sound(text="", options={}, answer=[])
    )
    assert answer.status_code == 201
    report = answer.json()
    assert (report["accepted"], report["rejected"], report["duplicates"]) == (1, 2, 1)
    assert [(fault["index"], fault["field"], fault["code"]) for fault in report["errors"]] == [
        (1, "answer", "answer_without_option"),
        (3, "text", "missing"),
        (3, "options", "options_too_few"),
        (3, "answer", "missing"),
    ]
    version, questions = await bank(kit, campaign)
    assert (version, len(questions)) == (1, 1)
    assert (questions[0].options, questions[0].answer, questions[0].difficulty) == (
        {"A": "洗手", "B": "跑步"},
        ["A"],
        2,
    )


async def test_the_whole_demonstration_bank_is_accepted(desk: Desk, kit: Kit) -> None:
    campaign = await publish_campaign(kit)
    questions = yaml.safe_load(BANK.read_text(encoding="utf-8"))
    report = (await add(desk, campaign, *questions)).json()
    assert (report["accepted"], report["rejected"]) == (len(questions), 0)
    _, stored = await bank(kit, campaign)
    assert {row.category for row in stored} == {question["category"] for question in questions}


async def test_known_question_is_a_duplicate_or_gets_its_new_explanation(desk: Desk, kit: Kit) -> None:
    campaign = await publish_campaign(kit)
    question = sound()
    await add(desk, campaign, question)
    again = (await add(desk, campaign, question)).json()
    assert (again["accepted"], again["duplicates"], again["updated"]) == (0, 1, 0)
    better = (await add(desk, campaign, question | {"explanation": "用流水洗手。", "difficulty": 1})).json()
    assert (better["accepted"], better["duplicates"], better["updated"]) == (1, 0, 1)
    version, [before, stored] = await bank(kit, campaign)
    assert (version, stored.explanation, stored.difficulty) == (2, "用流水洗手。", 1)
    assert (before.explanation, before.superseded_at is None) == ("饭前洗手。", False)
    assert (stored.first_id, stored.version, stored.retired_at) == (before.id, 2, None)
    easier = question | {"explanation": "用流水洗手。", "difficulty": 3}
    assert (await add(desk, campaign, easier)).json()["updated"] == 1
    _, [_, stored] = await bank(kit, campaign)
    assert (stored.difficulty, stored.version) == (3, 2)


async def test_same_request_number_adds_once(desk: Desk, kit: Kit) -> None:
    campaign = await publish_campaign(kit)
    question = sound()
    first = await add(desk, campaign, question, request_no="q-1")
    again = await add(desk, campaign, question, request_no="q-1")
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    assert again.headers["Idempotent-Replay"] == "true"
    assert (await bank(kit, campaign))[0] == 1


@pytest.mark.parametrize(
    "questions", [[], [{"text": 5}], [{"text": "x", "surprise": 1}], [{"options": ["a"]}], "none"]
)
async def test_malformed_lists_are_refused(desk: Desk, kit: Kit, questions: object) -> None:
    campaign = await publish_campaign(kit)
    answer = await desk.propose(url(campaign), {"questions": questions})
    assert answer.status_code == 422


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_csv_is_imported_with_rows_numbered_as_in_the_sheet(
    desk: Desk, kit: Kit, encoding: str
) -> None:
    campaign = await publish_campaign(kit)
    table = (
        "答案,题目,选项A,选项B,选项C,难度\n"
        "AC,何时洗手？,饭前,从不,便后,易\n"
        "\n"
        "D,何时刷牙？,早上,晚上,从不,2\n"
        "ac,何时洗手？,饭前,从不,便后,\n"
        ",何时运动？,每天,,,9\n"
    )
    report = (await upload(desk, campaign, table.encode(encoding))).json()
    assert (report["rows"], report["accepted"], report["rejected"], report["duplicates"]) == (4, 1, 2, 1)
    assert [(fault["row"], fault["column"]) for fault in report["errors"]] == [
        (4, "答案"),
        (6, "选项"),
        (6, "答案"),
        (6, "难度"),
    ]
    _, [stored] = await bank(kit, campaign)
    assert (stored.text, stored.answer, stored.difficulty) == ("何时洗手？", ["A", "C"], 1)


async def test_workbook_with_english_header_in_any_order_is_imported(desk: Desk, kit: Kit) -> None:
    campaign = await publish_campaign(kit)
    table: list[list[object]] = [
        ["explanation", "option_b", "option_a", "text", "difficulty", "answer"],
        ["", 10, 20, "洗手揉搓几秒？", 1, "A"],
        ["=1+1", "否", "是", "=是否？", "", "B"],
    ]
    report = (await upload(desk, campaign, workbook(table), name="q.xlsx")).json()
    assert (report["rows"], report["accepted"]) == (2, 2)
    _, stored = await bank(kit, campaign)
    assert [row.options for row in stored] == [{"A": "20", "B": "10"}, {"A": "是", "B": "否"}]


async def test_dry_run_says_what_would_happen_and_does_nothing(desk: Desk, kit: Kit) -> None:
    campaign = await publish_campaign(kit)
    table = "text,option_a,option_b,answer\n洗手？,是,否,A\n,是,否,A\n".encode()
    tried = (await upload(desk, campaign, table, dry_run=True)).json()
    assert (tried["rows"], tried["accepted"], tried["rejected"], tried["dry_run"]) == (2, 1, 1, True)
    assert await bank(kit, campaign) == (0, [])
    done = (await upload(desk, campaign, table)).json()
    assert (done["accepted"], done["already_imported"]) == (1, False)


async def test_same_file_again_changes_nothing_and_says_so(desk: Desk, kit: Kit) -> None:
    campaign = await publish_campaign(kit)
    table = "text,option_a,option_b,answer\n洗手？,是,否,A\n刷牙？,是,否,A\n".encode()
    first = (await upload(desk, campaign, table)).json()
    again = (await upload(desk, campaign, table)).json()
    assert (first["accepted"], first["already_imported"]) == (2, False)
    assert (again["accepted"], again["duplicates"], again["already_imported"]) == (0, 2, True)
    assert (await bank(kit, campaign))[0] == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"PK\x03\x04 no workbook", "file_unreadable"),
        ("题目,选项A\n一,二\n".encode(), "column_missing"),
    ],
)
async def test_file_that_is_no_table_of_questions_is_refused(
    desk: Desk, kit: Kit, content: bytes, code: str
) -> None:
    campaign = await publish_campaign(kit)
    answer = await upload(desk, campaign, content)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == code


async def test_filled_in_template_is_imported_without_its_example(desk: Desk, kit: Kit) -> None:
    campaign = await publish_campaign(kit)
    answer = await desk.client.get(f"{url(campaign)}/template.xlsx", headers=desk.one)
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert '"1,2,3"' in sheet.replace("&quot;", '"')
    untouched = (await upload(desk, campaign, answer.content, name="t.xlsx")).json()
    assert (untouched["rows"], untouched["errors"]) == (0, [])
    header, example = (list(row.cells) for row in read_rows(answer.content))
    mine = ["刷牙几分钟？", *example[1:]]
    filled = (await upload(desk, campaign, workbook([header, example, mine]), name="t.xlsx")).json()
    assert (filled["rows"], filled["accepted"], filled["errors"]) == (1, 1, [])


@pytest.mark.parametrize(("role", "status"), [(Role.AUDITOR, 403), (Role.INSTITUTION, 403), (None, 401)])
async def test_only_operators_and_admins_touch_the_bank(
    desk: Desk, kit: Kit, role: Role | None, status: int
) -> None:
    campaign = await publish_campaign(kit)
    headers = {} if role is None else await signed_in_staff(kit, role, institution_id="i1")
    stranger = Desk(desk.client, headers, headers)
    answers = [
        await add(stranger, campaign, sound()),
        await upload(stranger, campaign, b"text"),
        await desk.client.get(f"{url(campaign)}/template.xlsx", headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [status] * 3


async def test_unknown_campaign_has_no_bank(desk: Desk) -> None:
    nowhere = "/issuance/v1/campaigns/nowhere/questions"
    table = "text,option_a,option_b,answer\n洗手？,是,否,A\n".encode()
    answers = [
        await desk.propose(nowhere, {"questions": [sound()]}),
        await desk.client.post(f"{nowhere}/import", files={"file": ("q.csv", table)}, headers=desk.one),
        await desk.client.get(f"{nowhere}/template.xlsx", headers=desk.one),
    ]
    assert [answer.status_code for answer in answers] == [404] * 3


async def test_changes_of_the_bank_are_audited(desk: Desk, kit: Kit) -> None:
    campaign = await publish_campaign(kit)
    await add(desk, campaign, sound())
    await upload(desk, campaign, "text,option_a,option_b,answer\n洗手？,是,否,A\n".encode())
    async with kit.database.snapshot() as tx:
        found = await tx.execute(
            text("SELECT action, after FROM core.audit_entry WHERE object = :object ORDER BY seq"),
            {"object": f"campaign:{campaign.slug}"},
        )
        entries = found.all()
    assert [entry.action for entry in entries] == ["questions.add", "questions.import"]
    assert [entry.after["accepted"] for entry in entries] == [1, 1]
