"""Job centre and system health as pages: what waits, what failed and is tried again, who may."""

import io
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.ids import new_id
from shared.jobs.kinds import Kind
from shared.kit import Kit
from shared.settings import Settings
from tests.support.drain import dead_letter
from tests.support.pages import form_of, signed_in, text_of, whole_console
from tests.support.people import signed_in_staff

JOBS, HEALTH = "/console/jobs", "/console/health"


@pytest.fixture(scope="module")
async def origin(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    async with whole_console(settings, clock) as client:
        yield client


async def job_in(kit: Kit, kind: str, state: str, error: str | None = None) -> str:
    job_id = new_id()
    async with kit.database.transaction() as tx:
        await tx.execute(
            text(
                "INSERT INTO core.job (id, kind, state, progress, arguments, error, created_at)"
                " VALUES (:id, :kind, :state, 40, '{}', :error, :now)"
            ),
            {"id": job_id, "kind": kind, "state": state, "error": error, "now": kit.clock.now()},
        )
    return str(job_id)


def sheet_of(answer: httpx.Response) -> str:
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    return str(rows)


async def test_jobs_of_all_services_are_listed_filtered_and_opened(
    origin: httpx.AsyncClient, kit: Kit
) -> None:
    reader = signed_in(origin, await signed_in_staff(kit, Role.AUDITOR))
    running = await job_in(kit, Kind.CARD_EVENTS_UPLOADED.value, "running")
    await job_in(kit, Kind.SETTLEMENT_REQUESTED.value, "failed", "账期有误")
    listed = text_of(await reader.get(JOBS))
    for word in ("导入发卡记录", "生成结算", "账期有误"):
        assert word in listed
    failed = text_of(await reader.get(JOBS, params={"service": "redemption", "state": "failed"}))
    assert "账期有误" in failed
    assert Kind.CARD_EVENTS_UPLOADED.value not in failed
    book = await reader.get(f"{JOBS}/export.xlsx", params={"service": "redemption", "state": "failed"})
    assert "账期有误" in sheet_of(book)
    page = await reader.get(f"{JOBS}/quota/{running}")
    assert "40%" in text_of(page)
    assert 'hx-trigger="every 2s"' in page.text
    assert (await reader.get(f"{JOBS}/nothing/{running}")).status_code == 404
    assert (await reader.get(f"{JOBS}/quota/{new_id()}")).status_code == 404


async def test_a_dead_letter_is_tried_again_by_a_writer_only(origin: httpx.AsyncClient, kit: Kit) -> None:
    letter = await dead_letter(kit, Kind.SERVICE_RESULT_DUE)
    for role, status in ((Role.AUDITOR, 403), (Role.OPERATOR, 303), (Role.OPERATOR, 404)):
        client = signed_in(origin, await signed_in_staff(kit, role))
        page = await client.get(JOBS)
        form = form_of(await client.get("/console/account"))
        answer = await client.post(f"{JOBS}/letters/{letter}/retry", data=form)
        assert answer.status_code == status, text_of(answer)
        if role is Role.AUDITOR:
            assert "服务结果回传" in text_of(page)
            assert "连不上对方系统" in text_of(page)
            assert f"{letter}/retry" not in page.text


async def test_only_an_administrator_puts_a_dead_letter_aside_and_says_why(
    origin: httpx.AsyncClient, kit: Kit
) -> None:
    letter, needed = (
        await dead_letter(kit, Kind.SERVICE_RESULT_DUE),
        await dead_letter(kit, Kind.REDEMPTION_COUNTED),
    )
    operator = signed_in(origin, await signed_in_staff(kit, Role.OPERATOR))
    form = form_of(await operator.get("/console/account"))
    path = f"{JOBS}/letters/{letter}/put-aside"
    assert (await operator.post(path, data={**form, "reason": "不再需要"})).status_code == 403
    admin = signed_in(origin, await signed_in_staff(kit, Role.ADMIN))
    page = await admin.get(JOBS)
    assert path in page.text
    assert f"{needed}/put-aside" not in page.text
    form = form_of(page)
    assert (await admin.post(path, data={**form, "reason": " "})).status_code == 422
    given_up = await admin.post(path, data={**form, "reason": "机构已退出，不再回传"})
    assert (given_up.status_code, given_up.headers["location"]) == (303, f"{JOBS}?done=aside")
    again = {**form_of(await admin.get(JOBS)), "reason": "再来一次"}
    assert (await admin.post(path, data=again)).status_code == 404
    again = {**form_of(await admin.get(JOBS)), "reason": "不需要"}
    refused = await admin.post(f"{JOBS}/letters/{needed}/put-aside", data=again)
    assert (refused.status_code, "dead_letter_needed" in refused.text) == (409, True)
    log = text_of(await admin.get("/console/audit", params={"action": "dead_letter.put_aside"}))
    assert "搁置死信" in log
    assert "机构已退出，不再回传" in log


async def test_trying_an_awaited_job_again_takes_back_that_it_failed(
    origin: httpx.AsyncClient, kit: Kit
) -> None:
    job = await job_in(kit, Kind.CARD_EVENTS_UPLOADED.value, "failed", "处理失败")
    letter = await dead_letter(kit, Kind.CARD_EVENTS_UPLOADED, {"job_id": job})
    operator = signed_in(origin, await signed_in_staff(kit, Role.OPERATOR))
    form = form_of(await operator.get("/console/account"))
    assert (await operator.post(f"{JOBS}/letters/{letter}/retry", data=form)).status_code == 303
    assert "排队" in text_of(await operator.get(f"{JOBS}/quota/{job}"))


async def test_the_menu_counts_what_waits(origin: httpx.AsyncClient, kit: Kit) -> None:
    await dead_letter(kit, Kind.SERVICE_RESULT_DUE)
    reader = signed_in(origin, await signed_in_staff(kit, Role.AUDITOR))
    assert re.search(
        r'href="/console/jobs"[^>]*>任务中心<span class="count"[^>]*>\d+', (await reader.get(HEALTH)).text
    )


async def test_health_tells_of_every_service_the_schema_and_the_clocks(
    origin: httpx.AsyncClient, kit: Kit
) -> None:
    reader = signed_in(origin, await signed_in_staff(kit, Role.AUDITOR))
    page = await reader.get(HEALTH)
    told = text_of(page)
    assert told.count(" 就绪 ") == 4
    for word in (
        "与程序一致",
        "应答",
        "一致",
        "PostgreSQL",
        "从未见过",
        "请运维人员重启工作进程",
        "文件盘剩余空间",
    ):
        assert word in told


@pytest.mark.parametrize("path", [JOBS, HEALTH])
@pytest.mark.parametrize("role", [Role.HOSPITAL, Role.INSTITUTION])
async def test_pages_of_the_system_are_for_the_bureau(
    origin: httpx.AsyncClient, kit: Kit, path: str, role: Role
) -> None:
    other = signed_in(origin, await signed_in_staff(kit, role, institution_id="i1", hospital_id="h1"))
    assert (await other.get(path)).status_code == 403
