"""Job centre and system health as pages: what waits, what failed and is tried again, who may."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text

from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.ids import HotId, new_id
from shared.jobs.kinds import Kind
from shared.kit import Kit
from shared.settings import Settings
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


async def dead_letter(kit: Kit) -> str:
    row_id = new_id()
    payload = json.dumps({"redemption_id": str(new_id())})
    async with kit.database.transaction() as tx:
        await tx.execute(
            text(
                "INSERT INTO core.outbox"
                " (bucket, id, queue, kind, payload, state, attempt, last_error, next_at, created_at)"
                " VALUES (7, :id, 'redemption', :kind, CAST(:payload AS jsonb), 'dead', 9,"
                " 'ConnectError', :now, :now)"
            ),
            {
                "id": row_id,
                "kind": Kind.SERVICE_RESULT_DUE.value,
                "payload": payload,
                "now": kit.clock.now(),
            },
        )
    return str(HotId(7, row_id))


async def test_jobs_of_all_services_are_listed_filtered_and_opened(
    origin: httpx.AsyncClient, kit: Kit
) -> None:
    reader = signed_in(origin, await signed_in_staff(kit, Role.AUDITOR))
    running = await job_in(kit, Kind.CARD_EVENTS_UPLOADED.value, "running")
    await job_in(kit, Kind.SETTLEMENT_REQUESTED.value, "failed", "账期有误")
    listed = text_of(await reader.get(JOBS))
    for word in (Kind.CARD_EVENTS_UPLOADED.value, Kind.SETTLEMENT_REQUESTED.value, "账期有误"):
        assert word in listed
    failed = text_of(await reader.get(JOBS, params={"service": "redemption", "state": "failed"}))
    assert "账期有误" in failed
    assert Kind.CARD_EVENTS_UPLOADED.value not in failed
    page = await reader.get(f"{JOBS}/quota/{running}")
    assert "40%" in text_of(page)
    assert 'hx-trigger="every 2s"' in page.text
    assert (await reader.get(f"{JOBS}/nothing/{running}")).status_code == 404
    assert (await reader.get(f"{JOBS}/quota/{new_id()}")).status_code == 404


async def test_a_dead_letter_is_tried_again_by_a_writer_only(origin: httpx.AsyncClient, kit: Kit) -> None:
    letter = await dead_letter(kit)
    fields = {"kind": "results", "letter": letter}
    for role, status in ((Role.AUDITOR, 403), (Role.OPERATOR, 303), (Role.OPERATOR, 404)):
        client = signed_in(origin, await signed_in_staff(kit, role))
        page = await client.get(JOBS)
        form = form_of(await client.get("/console/account"))
        answer = await client.post(f"{JOBS}/retry", data={**form, **fields})
        assert answer.status_code == status, text_of(answer)
        if role is Role.AUDITOR:
            assert letter in page.text
            assert f'action="{JOBS}/retry"' not in page.text
    unknown = await client.post(f"{JOBS}/retry", data={**form, "kind": "x", "letter": letter})
    assert unknown.status_code == 404


async def test_health_tells_of_every_service_the_schema_and_the_clocks(
    origin: httpx.AsyncClient, kit: Kit
) -> None:
    reader = signed_in(origin, await signed_in_staff(kit, Role.AUDITOR))
    page = await reader.get(HEALTH)
    told = text_of(page)
    assert told.count(" 就绪 ") == 4
    for word in ("与程序一致", "应答", "一致", "PostgreSQL"):
        assert word in told


@pytest.mark.parametrize("path", [JOBS, HEALTH])
@pytest.mark.parametrize("role", [Role.HOSPITAL, Role.INSTITUTION])
async def test_pages_of_the_system_are_for_the_bureau(
    origin: httpx.AsyncClient, kit: Kit, path: str, role: Role
) -> None:
    other = signed_in(origin, await signed_in_staff(kit, role, institution_id="i1", hospital_id="h1"))
    assert (await other.get(path)).status_code == 403
