"""The import centre: check keeps nothing, faults come back coloured, the history says who took what."""

import io
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import httpx
import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineWorkbook

from services.console.importpages.rules import IMPORTS
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import STOCK, publish_campaign
from tests.support.pages import form_of, signed_in, text_of, whole_console
from tests.support.people import signed_in_staff
from tests.support.quota import bureau_of
from tests.support.workbooks import coloured

PAGE = "/console/imports"


@dataclass(frozen=True, slots=True)
class Case:
    """A file with one good row and one that is wrong, and the text of the cell that is coloured."""

    key: str
    content: str
    wrong: str
    said: str


CASES = (
    Case(
        "exclusions",
        "身份证号,名单,原因\n110101199003078515,黑名单,提供虚假材料\n110101199003078515X,黑名单,测试\n",
        "110101199003078515X",
        "身份证",
    ),
    Case(
        "questions",
        "题目,选项A,选项B,答案,解析,难度,类别\n饭前要洗手吗？,要,不要,A,病从口入,1,健康素养\n=1+1？,二,三,Z,,1,\n",
        "Z",
        "答案",
    ),
    Case("basis", "医院,数值\n{hospital},35\n{other},负三\n", "负三", "数值"),
    Case("levels", "医院,级别\n{hospital},二级甲等\n没有这家,三级\n", "没有这家", "医院"),
    Case(
        "card-events",
        "事件编号,场景值,持卡人,类型,时间\n"
        "导入-1,,甲-1,发卡,2020-08-10 10:00:00\n导入-2,,甲-2,送卡,2020-08-10 10:00:00\n",
        "送卡",
        "类型",
    ),
    Case(
        "working-days", "日期,类型,名称\n2022-01-03,放假,元旦\n2022-13-09,放假,元旦\n", "2022-13-09", "日期"
    ),
)


@dataclass(frozen=True, slots=True)
class Desk:
    client: httpx.AsyncClient
    campaign: str
    programme: str
    hospitals: tuple[str, str]
    institution: str

    def target(self, key: str) -> dict[str, str]:
        scope = next(one.scope for one in IMPORTS if one.key == key)
        if scope == "year":
            return {"year": "2022", "source": "国办发明电"}
        return {"slug": self.campaign if scope == "campaign" else self.programme, "basis": "床位数"}

    async def sent(self, case: Case, step: str, content: str) -> httpx.Response:
        address = f"{PAGE}/{case.key}"
        form = form_of(await self.client.get(address))
        fields = {**form, **self.target(case.key), "step": step}
        return await self.client.post(address, files={"file": ("表.csv", content.encode())}, data=fields)

    def file(self, case: Case) -> str:
        return case.content.format(hospital=self.hospitals[0], other=self.hospitals[1])


@pytest.fixture(scope="module")
async def desk(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Desk]:
    async with whole_console(settings, clock) as client:
        campaign = await publish_campaign(kit, slug=f"imports-{secrets.token_hex(4)}")
        bureau = await bureau_of(client, kit)
        programme = f"imports-{secrets.token_hex(4)}"
        await bureau.programme(programme, ("一医共体", "原有一院", 100), ("二医共体", "原有二院", 200))
        made = await client.post(
            "/redemption/v1/institutions",
            json={
                "name": "对账的机构",
                "category": "other",
                "accepts": [next(iter(STOCK))],
                "campaign": campaign.slug,
            },
            headers=bureau.operator,
        )
        operator = signed_in(client, await signed_in_staff(kit, Role.OPERATOR))
        hospitals = ("原有一院", "原有二院")
        yield Desk(operator, campaign.slug, programme, hospitals, made.json()["id"])


async def test_the_centre_lists_every_import_with_its_page_and_history(desk: Desk) -> None:
    page = await desk.client.get(PAGE)
    shown = text_of(page)
    for one in IMPORTS:
        assert one.name[0] in shown
        assert f'href="{one.path or f"{PAGE}/{one.key}"}"' in page.text
    assert "还没有导入过" not in shown


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
async def test_check_keeps_nothing_and_faults_come_back_coloured(desk: Desk, case: Case) -> None:
    content = desk.file(case)
    template = await desk.client.get(f"{PAGE}/{case.key}/template.xlsx", params=desk.target(case.key))
    assert CalamineWorkbook.from_filelike(io.BytesIO(template.content)).sheet_names
    checked = await desk.sent(case, "check", content)
    assert checked.status_code == 200, text_of(checked)
    assert "有问题 1" in text_of(checked)
    assert case.said in text_of(checked)
    # The same again is as new as before.
    assert "有问题 1" in text_of(await desk.sent(case, "check", content))
    assert "以前导入过" not in text_of(await desk.sent(case, "check", content))
    marked = await desk.sent(case, "errors", content)
    rows = CalamineWorkbook.from_filelike(io.BytesIO(marked.content)).get_sheet_by_index(0).to_python()
    assert rows[2][-1], rows
    cells = {str(rows[int(cell[1:]) - 1][ord(cell[0]) - ord("A")]) for cell in coloured(marked.content)}
    assert case.wrong in cells


@dataclass(frozen=True, slots=True)
class Faulty:
    """An import with a page of its own; `good` and `bad` are rows by the template's columns."""

    page: str
    template: str
    good: Mapping[str, str]
    bad: Mapping[str, str]
    wrong: str
    said: str


FAULTY = (
    Faulty(
        "/console/institutions/import",
        "/console/institutions/import/template.xlsx",
        {"名称": "新机构甲", "类别": "体检医院", "受理券种": next(iter(STOCK))},
        {"名称": "新机构乙", "类别": "体检医院", "受理券种": "没有这种券"},
        "受理券种",
        "没有这种券",
    ),
    Faulty(
        "/console/quota/hospitals/import",
        "/console/quota/hospitals/import/template.xlsx",
        {"医共体": "一医共体", "医院": "原有一院", "诊疗人次": "300"},
        {"医共体": "一医共体", "医院": "新来的医院", "诊疗人次": "三百"},
        "诊疗人次",
        "整数",
    ),
    Faulty(
        "/console/reconciliations",
        "/console/reconciliations/template.xlsx",
        {"请求号": "甲-1", "抵扣金额（元）": "50.00"},
        {"请求号": "甲-2", "抵扣金额（元）": "五十"},
        "抵扣金额（元）",
        "金额无法识别",
    ),
)


def titled(sheet: Worksheet) -> dict[str, int]:
    """Columns of a sheet, from 1, by what stands above them without the mark of those that are required."""
    return {str(cell.value).strip("* ").split()[0]: cell.column for cell in sheet[1] if cell.value}


@pytest.mark.parametrize("case", FAULTY, ids=lambda case: case.page)
async def test_faulty_rows_of_a_filled_template_come_back_with_row_column_reason_and_colour(
    desk: Desk, case: Faulty
) -> None:
    target = {"campaign": desk.campaign, "programme": desk.programme}
    target |= {"institution_id": desk.institution, "from": "2020-11-01", "to": "2020-11-02"}
    template = await desk.client.get(case.template, params={"programme": desk.programme})
    book = load_workbook(io.BytesIO(template.content))
    sheet = book.worksheets[0]
    columns = titled(sheet)
    sheet.delete_rows(2, sheet.max_row)
    for number, row in ((2, case.good), (3, case.bad)):
        for title, text in row.items():
            sheet.cell(number, columns[title], text)
    filled = io.BytesIO()
    book.save(filled)
    form = form_of(await desk.client.get(case.page))
    marked = await desk.client.post(
        case.page,
        files={"file": ("填好.xlsx", filled.getvalue())},
        data={**form, **target, "step": "errors"},
    )
    assert marked.content.startswith(b"PK"), text_of(marked)
    told = load_workbook(io.BytesIO(marked.content)).worksheets[0]
    reason = titled(told)["问题"]
    assert told.cell(2, reason).value is None
    assert f"{case.wrong.partition('（')[0]}：" in str(told.cell(3, reason).value)
    assert case.said in str(told.cell(3, reason).value)
    red = [
        (cell.row, cell.column)
        for row in told.iter_rows()
        for cell in row
        if cell.fill.patternType == "solid"
    ]
    assert red == [(3, columns[case.wrong]), (3, reason)]
    assert told.cell(3, reason).fill.fgColor.rgb == told.cell(3, columns[case.wrong]).fill.fgColor.rgb
    again = CalamineWorkbook.from_filelike(io.BytesIO(marked.content)).get_sheet_by_index(0).to_python()
    assert again[2][columns[case.wrong] - 1] == case.bad[case.wrong]
    assert case.said in str(again[2][reason - 1])


async def test_what_was_taken_in_stands_in_the_history_with_who_did_it(desk: Desk) -> None:
    good = "身份证号,名单,原因\n110101199003078515,工作人员,主办单位工作人员\n"
    taken = await desk.sent(CASES[0], "import", good)
    assert "已导入 1" in text_of(taken), text_of(taken)
    history = text_of(await desk.client.get(PAGE, params={"kind": "exclusions"}))
    assert desk.campaign in history
    assert "staff-" in history
    assert "110101" not in history


async def test_an_import_of_another_page_leads_there_and_unknown_ones_nowhere(desk: Desk) -> None:
    led = await desk.client.get(f"{PAGE}/institutions")
    assert (led.status_code, led.headers["location"]) == (303, "/console/institutions/import")
    assert (await desk.client.get(f"{PAGE}/nothing")).status_code == 404
    assert (await desk.client.get(f"{PAGE}/jobs/console/x/faults.xlsx")).status_code == 404


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.HOSPITAL, Role.INSTITUTION])
async def test_only_the_bureau_writers_import(desk: Desk, kit: Kit, role: Role) -> None:
    headers = await signed_in_staff(kit, role, institution_id="i1", hospital_id="h1")
    other = signed_in(desk.client, headers)
    assert (await other.get(f"{PAGE}/exclusions")).status_code == 403
    assert (await other.get(PAGE)).status_code == (200 if role is Role.AUDITOR else 403)
