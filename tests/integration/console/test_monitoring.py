"""GET /console/metrics: what operators watch, with the timings of the processes; for those who may."""

from datetime import timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from shared.clock import machine_now
from shared.identity.staff import Role
from shared.kit import Kit
from shared.metrics.http import HttpTimings, observe_job
from tests.support.people import signed_in_staff

PATH = "/console/metrics"
TOKEN = {"Authorization": "Bearer metrics-token-of-the-tests"}


_PLANTED = """
    INSERT INTO core.outbox (bucket, id, queue, kind, payload, state, next_at, created_at)
    SELECT 0, gen_random_uuid(), 'issuance', 'x', '{}', 'dead', :now, :now FROM generate_series(1, 3);
    INSERT INTO core.outbox (bucket, id, queue, kind, payload, state, next_at, created_at)
    VALUES (0, gen_random_uuid(), 'quota', 'x', '{}', 'ready', :seen, :seen),
           (0, gen_random_uuid(), 'redemption', 'x', '{}', 'ready', :later, :seen);
    INSERT INTO core.job (id, kind, state, arguments, created_at, finished_at)
    VALUES (gen_random_uuid(), 'a.job', 'failed', '{}', :clock, :clock),
           (gen_random_uuid(), 'a.job', 'succeeded', '{}', :clock, :clock),
           (gen_random_uuid(), 'b.job', 'failed', '{}', :before, :before);
    INSERT INTO core.worker (queue, seen_at) VALUES ('quota', :seen);
    INSERT INTO core.schedule (name, next_at, last_error)
    VALUES ('a.fine', :now, NULL), ('a.bad', :now, 'x')
"""


async def samples(client: httpx.AsyncClient, name: str) -> dict[tuple[str, ...], float]:
    answer = await client.get(PATH, headers=TOKEN)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == name
    }


async def test_dead_rows_workers_and_failing_work_are_seen(client: httpx.AsyncClient, kit: Kit) -> None:
    now = machine_now()
    async with kit.database.transaction() as tx:
        values = {
            "now": now,
            "seen": now - timedelta(seconds=90),
            "later": now + timedelta(minutes=10),
            "clock": kit.clock.now(),
            "before": kit.clock.now() - timedelta(days=2),
        }
        for statement in _PLANTED.split(";"):
            named = {name: value for name, value in values.items() if f":{name}" in statement}
            await tx.execute(text(statement), named)
    assert await samples(client, "hv_outbox_dead") == {("x", "issuance"): 3}
    assert 90 <= (await samples(client, "hv_worker_seen_seconds"))[("quota",)] < 120
    overdue = await samples(client, "hv_outbox_overdue_seconds")
    assert 90 <= overdue[("quota",)] < 120
    assert {overdue[(queue,)] for queue in ("issuance", "redemption", "console")} == {0}
    assert await samples(client, "hv_jobs_failed") == {("a.job",): 1, ("b.job",): 0}
    assert await samples(client, "hv_periodic_failing") == {("a.bad",): 1, ("a.fine",): 0}


async def test_live_sessions_are_counted(client: httpx.AsyncClient, kit: Kit) -> None:
    before = (await samples(client, "hv_staff_sessions"))[()]
    headers = await signed_in_staff(kit, Role.OPERATOR)
    assert (await samples(client, "hv_staff_sessions"))[()] == before + 1
    await client.delete("/console/v1/sessions/current", headers=headers)
    assert (await samples(client, "hv_staff_sessions"))[()] == before


async def test_timings_of_the_processes_stand_beside_them(client: httpx.AsyncClient) -> None:
    await client.get("/console/healthz")
    timings = await samples(client, "hv_http_request_duration_seconds_count")
    assert any("/console/healthz" in labels for labels in timings)


async def test_a_service_tells_its_own_timings_only(client: httpx.AsyncClient) -> None:
    """On one origin the services share processes, and each is scraped: sums would count all of them twice."""
    HttpTimings().observe(service="quota", route="/quota/x", method="GET", status=200, seconds=1)
    for kind in ("quota.something", "console.something"):
        observe_job(job=kind, outcome="done", seconds=1)
    assert not any(
        "quota" in labels for labels in await samples(client, "hv_http_request_duration_seconds_count")
    )
    # Other tests of this process may have run jobs of the console's before.
    told = {job for job, _ in await samples(client, "hv_job_duration_seconds_count")}
    assert "console.something" in told
    assert {job for job in told if not job.startswith("console.")} == set()


@pytest.mark.parametrize("role", [Role.ADMIN, Role.OPERATOR, Role.AUDITOR])
async def test_staff_who_may_read_may_look(client: httpx.AsyncClient, kit: Kit, role: Role) -> None:
    headers = await signed_in_staff(kit, role)
    assert (await client.get(PATH, headers=headers)).status_code == 200


async def test_nobody_else_may(client: httpx.AsyncClient, kit: Kit) -> None:
    bound = await signed_in_staff(kit, Role.HOSPITAL, hospital_id="h1")
    assert (await client.get(PATH, headers=bound)).status_code == 403
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert (await client.get(PATH, headers=headers)).status_code == 401
