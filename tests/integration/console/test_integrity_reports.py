"""A small platform is recomputed while one waits; a large one by a job, and the latest report is told."""

import json
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from services.console.integrity.operations import IntegrityDesk
from services.console.integrity.rules import Kept, from_json, to_json
from services.console.wiring import build
from services.console.worker import parts
from shared.clock import ManualClock, machine_now
from shared.errors import Busy
from shared.identity.staff import Role
from shared.integrity import Outcome, Report
from shared.jobs.awaited import AwaitedJobs
from shared.jobs.kinds import Queue
from shared.kit import Kit
from tests.support.drain import drain
from tests.support.people import signed_in_staff

NO_PATIENCE = timedelta(0)


@pytest.fixture
async def desk(kit: Kit) -> IntegrityDesk:
    """Of a platform that nobody has recomputed yet."""
    async with kit.database.transaction() as tx:
        await tx.execute(text("DELETE FROM core.job"))
        await tx.execute(text("DELETE FROM core.outbox"))
    return IntegrityDesk(kit, AwaitedJobs(kit, Queue.CONSOLE))


async def job_states(kit: Kit) -> list[str]:
    async with kit.database.snapshot() as tx:
        return list((await tx.execute(text("SELECT state FROM core.job ORDER BY created_at"))).scalars())


async def kept_report(kit: Kit, *, seconds: float, age: timedelta) -> Kept:
    """A report of a platform that takes so long to recompute, made so long ago."""
    report = Report(
        kit.clock.now() - age, (Outcome("told_by_the_job", ok=True, expected=1, actual=1, detail=None),)
    )
    kept = Kept(report, machine_now() - age, seconds)
    async with kit.database.transaction() as tx:
        await tx.execute(
            text("""
                INSERT INTO core.job (id, kind, state, progress, arguments, result, created_at, finished_at)
                VALUES (gen_random_uuid(), 'console.integrity_wanted', 'succeeded', 100, '{}',
                        CAST(:result AS jsonb), :now, :now)
            """),
            {"result": json.dumps(to_json(kept)), "now": kit.clock.now()},
        )
    return kept


async def test_a_small_platform_is_recomputed_while_one_waits(kit: Kit, desk: IntegrityDesk) -> None:
    report = await desk.report()
    assert report.ok
    assert report.as_of == kit.clock.now()
    assert await job_states(kit) == []


async def test_a_large_one_is_busy_until_its_job_has_ended_and_then_told(
    kit: Kit, desk: IntegrityDesk
) -> None:
    impatient = replace(desk, patience=NO_PATIENCE)
    for _ in range(2):
        with pytest.raises(Busy):
            await impatient.report()
    assert await job_states(kit) == ["queued"]

    assert await drain(kit, parts(build(kit))) == 1

    report = await impatient.report()
    assert report.ok
    assert len(report.checks) > 1


async def test_an_old_report_of_a_large_platform_is_told_and_a_new_one_asked_for(
    kit: Kit, desk: IntegrityDesk
) -> None:
    old = await kept_report(kit, seconds=90, age=timedelta(minutes=11))
    assert await desk.report() == old.report
    assert await job_states(kit) == ["succeeded", "queued"]


async def test_a_fresh_report_of_a_large_platform_is_enough(kit: Kit, desk: IntegrityDesk) -> None:
    fresh = await kept_report(kit, seconds=90, age=timedelta(minutes=9))
    assert await desk.report() == fresh.report
    assert await job_states(kit) == ["succeeded"]


async def test_a_kept_report_of_a_small_platform_is_not_used(kit: Kit, desk: IntegrityDesk) -> None:
    await kept_report(kit, seconds=1, age=timedelta(minutes=1))
    assert "told_by_the_job" not in {check.name for check in (await desk.report()).checks}


async def test_the_page_shows_a_kept_report_only_while_it_tells_of_now(
    kit: Kit, desk: IntegrityDesk, clock: ManualClock
) -> None:
    kept = await kept_report(kit, seconds=1, age=timedelta(minutes=1))
    assert await desk.shown() == kept.report
    clock.advance(hours=1)
    assert (await desk.shown()).as_of == kit.clock.now()


async def test_a_report_is_asked_for_once_when_the_kept_one_grows_old(
    kit: Kit, desk: IntegrityDesk, clock: ManualClock
) -> None:
    await kept_report(kit, seconds=1, age=timedelta(minutes=29))
    await desk.keep_fresh()
    assert await job_states(kit) == ["succeeded"]
    clock.advance(minutes=1)
    await desk.keep_fresh()
    await desk.keep_fresh()
    assert await job_states(kit) == ["succeeded", "queued"]


async def test_a_broken_invariant_is_a_gauge_that_an_alarm_can_watch(
    kit: Kit, client: httpx.AsyncClient, desk: IntegrityDesk
) -> None:
    headers = {"Authorization": "Bearer metrics-token-of-the-tests"}
    before = (await client.get("/console/metrics", headers=headers)).text
    assert "hv_integrity_broken" not in before
    async with kit.database.transaction() as tx:
        await tx.execute(
            text(
                "INSERT INTO core.tally (scope_id, day, measure, dim, dim2, n) VALUES"
                " (gen_random_uuid(), '2020-11-01', 'draw', 'won', 'quiz', 1)"
            )
        )
    await desk.keep_fresh()
    await drain(kit, parts(build(kit)))

    told = (await client.get("/console/metrics", headers=headers)).text

    broken = [
        line for line in told.splitlines() if line.startswith("hv_integrity_broken") and line.endswith(" 1.0")
    ]
    assert any("tallies_equal_the_recount_of_attempts_chances_and_draws" in line for line in broken)
    assert "hv_integrity_age_seconds" in told
    async with kit.database.transaction() as tx:
        await tx.execute(text("DELETE FROM core.tally"))


async def test_the_job_is_seen_among_the_consoles_jobs(
    kit: Kit, client: httpx.AsyncClient, desk: IntegrityDesk
) -> None:
    await desk.keep_fresh()
    auditor = await signed_in_staff(kit, Role.AUDITOR)
    (job,) = (await client.get("/console/v1/jobs", headers=auditor)).json()["items"]
    assert (job["kind"], job["state"]) == ("console.integrity_wanted", "queued")


def test_a_kept_report_is_read_as_it_was_written() -> None:
    now = machine_now()
    kept = Kept(
        Report(now, (Outcome("one", ok=False, expected=2, actual=None, detail="d", title="t"),)), now, 2.5
    )
    assert from_json(to_json(kept)) == kept
