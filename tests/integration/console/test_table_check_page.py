"""Table check as a clerk uses it: the model table, a small one, files that are none, and the download."""

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.console.app import create_app as console
from shared.clients.services import Services
from shared.clock import ManualClock
from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.http import serving
from tests.support.pages import console_with_quota, form_of, signed_in, text_of
from tests.support.people import signed_in_staff

PAGE = "/console/quota/table-check"
DATA = Path(__file__).resolve().parents[3] / "deploy" / "demo_data" / "yueqing-2020"
TABLE = (DATA / "hospitals.csv").read_bytes()
TOTALS = (DATA / "published_totals.csv").read_bytes()
MOVE = {"source": "乐清市妇幼保健院", "target": "乐清市人民医院", "points": "3", "cards": ""}
HONGHE = "券种,数量\n健康体检券,209\n核酸检测券,40\n消毒用品券,83\n健身券,25\n通用券,308\n合计,670\n".encode()
Files = dict[str, tuple[str, bytes]]


@pytest.fixture(scope="module")
async def clerk(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[httpx.AsyncClient]:
    async with console_with_quota(settings, clock) as client:
        yield signed_in(client, await signed_in_staff(kit, Role.AUDITOR))


async def checked(clerk: httpx.AsyncClient, files: Files, **fields: str) -> httpx.Response:
    form = form_of(await clerk.get(PAGE))
    return await clerk.post(PAGE, files=files, data={**form, **fields})


async def test_the_model_table_has_its_two_faults_and_no_others(clerk: httpx.AsyncClient) -> None:
    files = {"file": ("分配表.csv", TABLE), "totals": ("合计.csv", TOTALS)}
    page = await checked(clerk, files, total="165000", **MOVE)
    assert page.status_code == 200, text_of(page)
    shown = text_of(page)
    assert "发现 2 处问题" in shown
    assert "第二人民医院医共体·小计 48,737 48,738 -1" in shown
    assert "全部 37 家·任务数 165,000 165,003 -3" in shown
    assert "数据行 37" in shown


async def test_the_five_missing_vouchers_are_found_and_a_good_table_is_said_to_be_one(
    clerk: httpx.AsyncClient,
) -> None:
    assert "数量·合计 670 665 5" in text_of(await checked(clerk, {"file": ("665.csv", HONGHE)}))
    good = HONGHE.replace(b"670", b"665")
    assert "未发现问题" in text_of(await checked(clerk, {"file": ("665.csv", good)}))


@pytest.mark.parametrize(
    ("files", "fields", "sentence"),
    [
        ({"file": ("a.xlsx", b"PK\x03\x04no workbook")}, {}, "无法打开该表格文件"),
        ({"file": ("a.csv", "姓名,电话\n甲,乙\n".encode())}, {}, "没有可核对的内容"),
        ({"file": ("", b"")}, {}, "没有可核对的内容"),
        ({"file": ("a.csv", TABLE)}, {"total": "很多"}, "提交的内容有误"),
        ({"file": ("a.csv", TABLE)}, {**MOVE, "source": "别处的医院"}, "表中没有“别处的医院”"),
        ({"file": ("a.csv", TABLE)}, {**MOVE, "cards": "5"}, "须且只须填写一项"),
        ({"file": ("a.csv", TABLE)}, {**MOVE, "points": "", "cards": "x"}, "提交的内容有误"),
    ],
)
async def test_a_refusal_is_said_on_the_page_and_what_was_typed_stays(
    clerk: httpx.AsyncClient, files: Files, fields: dict[str, str], sentence: str
) -> None:
    page = await checked(clerk, files, **fields)
    assert page.status_code == 422
    assert sentence in text_of(page)
    assert "invalid_request" in page.text
    for typed in fields.values():
        assert f'value="{typed}"' in page.text


async def test_findings_are_a_workbook_that_runs_nothing(clerk: httpx.AsyncClient) -> None:
    table = "医院,诊疗人次,任务数\n=1+1,1,7\n乙,1,5\n丙,2,8\n".encode()
    answer = await checked(clerk, {"file": ("表.csv", table)}, total="20", answer="xlsx")
    assert "%E6%A0%B8%E5%AF%B9%E7%BB%93%E6%9E%9C-%E8%A1%A8.xlsx" in answer.headers["content-disposition"]
    cells = [cell for row in read_rows(answer.content) for cell in row.cells]
    assert any("=1+1" in cell for cell in cells)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
    good = await checked(clerk, {"file": ("665.csv", HONGHE.replace(b"670", b"665"))}, answer="xlsx")
    assert "未发现问题。" in [row.at(0) for row in read_rows(good.content)]


async def test_the_template_is_one_that_the_check_understands(clerk: httpx.AsyncClient) -> None:
    template = await clerk.get(f"{PAGE}/template.xlsx")
    assert template.status_code == 200
    page = await checked(clerk, {"file": ("模板.xlsx", template.content)})
    assert "未发现问题" in text_of(page)
    assert "数据行 2" in text_of(page)


async def test_a_form_of_elsewhere_is_refused(clerk: httpx.AsyncClient) -> None:
    files = {"file": ("a.csv", HONGHE)}
    for form in ({}, {"form_token": "0" * 64}):
        assert (await clerk.post(PAGE, files=files, data=form)).status_code == 403


@pytest.mark.parametrize(("role", "status"), [(Role.HOSPITAL, 403), (Role.INSTITUTION, 403)])
async def test_the_page_is_for_the_bureau(
    settings: Settings, clock: ManualClock, kit: Kit, role: Role, status: int
) -> None:
    async with console_with_quota(settings, clock) as client:
        asked = await client.get(PAGE)
        assert (asked.status_code, asked.headers["location"]) == (303, f"/console?to={PAGE}")
        other = signed_in(client, await signed_in_staff(kit, role, institution_id="i1", hospital_id="h1"))
        assert (await other.get(PAGE)).status_code == status
        assert PAGE not in (await other.get("/console", follow_redirects=False)).text


async def test_a_console_that_stands_alone_says_what_is_missing(
    settings: Settings, clock: ManualClock, kit: Kit
) -> None:
    app = console(settings, clock=clock)
    del app.state.services
    alone = Services(None)
    async with serving(console=app) as client:
        app.state.services = alone
        clerk = signed_in(client, await signed_in_staff(kit, Role.OPERATOR))
        assert (await clerk.get("/console")).status_code == 200
        page = await clerk.get(f"{PAGE}/template.xlsx")
        assert page.status_code == 503
        assert "HV_SERVICES_URL" in page.text
        assert "services_not_connected" in page.text
