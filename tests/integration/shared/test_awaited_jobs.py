"""What a clerk waits for: asked for in one commit, done by a worker, told as it goes, ended once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from shared import outbox
from shared.clock import machine_now
from shared.errors import InvalidRequest, NotFound
from shared.ids import new_id
from shared.jobs import awaited
from shared.jobs.awaited import AwaitedJobs, Progress
from shared.jobs.awaited.store import AwaitedJob
from shared.jobs.kinds import Queue
from shared.jobs.runner import Runner
from shared.kit import Kit
from shared.outbox import store

KIND = "console.test_report"


async def requested(kit: Kit, jobs: AwaitedJobs, arguments: dict[str, Any] | None = None) -> UUID:
    async with kit.database.transaction() as tx:
        answer = await jobs.request(tx, KIND, arguments or {}, requested_by=new_id())
    return UUID(answer["job_id"])


async def run_once(kit: Kit, jobs: AwaitedJobs, work: awaited.Work) -> int:
    """Leases what is due (as if every wait were over) and runs it."""
    async with kit.database.transaction() as tx:
        later = machine_now() + timedelta(hours=1)
        due = await store.lease_due(tx, Queue.CONSOLE, now=later, lease_until=machine_now(), limit=100)
    runner = Runner(kit.database, {KIND: jobs.job(KIND, work)})
    return await runner.run(KIND, [(bucket, row_id) for bucket, row_id, _ in due])


@pytest.fixture
async def jobs(kit: Kit) -> AwaitedJobs:
    async with kit.database.transaction() as tx:
        await tx.execute(text("DELETE FROM core.outbox"))
    return AwaitedJobs(kit, Queue.CONSOLE)


async def counts(job: AwaitedJob, progress: Progress) -> dict[str, Any]:
    for done in range(1, 5):
        await progress.report(done, 4)
    return {"counted": job.arguments["n"]}


async def test_a_job_is_queued_until_a_worker_takes_it_and_then_shows_its_result(
    kit: Kit, jobs: AwaitedJobs
) -> None:
    job_id = await requested(kit, jobs, {"n": 7})
    assert ((await jobs.view(job_id)).state, (await jobs.view(job_id)).progress) == ("queued", 0)

    assert await run_once(kit, jobs, counts) == 1

    ended = await jobs.view(job_id)
    assert (ended.state, ended.progress, ended.result, ended.error) == (
        "succeeded",
        100,
        {"counted": 7},
        None,
    )
    assert ended.finished_at is not None


async def test_progress_is_seen_while_the_job_runs_and_never_goes_back(kit: Kit, jobs: AwaitedJobs) -> None:
    job_id = await requested(kit, jobs)
    seen: list[tuple[str, int]] = []

    async def look(job: AwaitedJob, progress: Progress) -> dict[str, Any]:
        await progress.report(40, 100)
        seen.append(((await jobs.view(job.id)).state, (await jobs.view(job.id)).progress))
        await Progress(kit, job.id).report(10, 100)
        seen.append(((await jobs.view(job.id)).state, (await jobs.view(job.id)).progress))
        return {}

    await run_once(kit, jobs, look)

    assert seen == [("running", 40), ("running", 40)]
    assert (await jobs.view(job_id)).state == "succeeded"


async def test_a_refusal_ends_the_job_with_its_sentence_and_is_not_tried_again(
    kit: Kit, jobs: AwaitedJobs
) -> None:
    job_id = await requested(kit, jobs)

    async def refuse(_job: AwaitedJob, _progress: Progress) -> dict[str, Any]:
        raise InvalidRequest

    assert await run_once(kit, jobs, refuse) == 1
    assert await run_once(kit, jobs, refuse) == 0
    ended = await jobs.view(job_id)
    assert (ended.state, ended.result, ended.error) == ("failed", None, InvalidRequest.zh)


async def test_a_fault_is_tried_again_and_fails_for_good_without_telling_internals(
    kit: Kit, jobs: AwaitedJobs
) -> None:
    job_id = await requested(kit, jobs)
    states: list[str] = []

    async def break_down(_job: AwaitedJob, _progress: Progress) -> dict[str, Any]:
        message = "secret inside"
        raise RuntimeError(message)

    while await _tried(kit, jobs, break_down):
        states.append((await jobs.view(job_id)).state)

    assert states == ["running", "running", "running", "failed"]
    assert "secret" not in str((await jobs.view(job_id)).error)


async def _tried(kit: Kit, jobs: AwaitedJobs, work: awaited.Work) -> bool:
    """One attempt; False when nothing waits any more."""
    async with kit.database.transaction() as tx:
        waiting = (
            await tx.execute(text("SELECT count(*) FROM core.outbox WHERE state = 'ready'"))
        ).scalar_one()
    if waiting:
        await run_once(kit, jobs, work)
    return bool(waiting)


async def test_a_job_that_was_taken_over_is_stopped_and_leaves_the_end_to_the_other(
    kit: Kit, jobs: AwaitedJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awaited, "_RENEW_SECONDS", 0.01)
    job_id = await requested(kit, jobs)
    ended = await _taken_over_while_at_work(kit, jobs)
    assert ended == ["cancelled"]
    assert (await jobs.view(job_id)).state == "running"
    assert await run_once(kit, jobs, counts_nothing) == 1
    assert (await jobs.view(job_id)).state == "succeeded"


async def counts_nothing(_job: AwaitedJob, _progress: Progress) -> dict[str, Any]:
    return {}


async def _taken_over_while_at_work(kit: Kit, jobs: AwaitedJobs) -> list[str]:
    ended: list[str] = []

    async def lose(_job: AwaitedJob, _progress: Progress) -> dict[str, Any]:
        async with kit.database.transaction() as tx:
            await tx.execute(text("UPDATE core.outbox SET attempt = attempt + 1"))
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return {}

    assert await run_once(kit, jobs, lose) == 0
    return ended


async def test_a_job_that_runs_again_after_its_end_does_nothing(kit: Kit, jobs: AwaitedJobs) -> None:
    job_id = await requested(kit, jobs, {"n": 1})
    await run_once(kit, jobs, counts)
    ended = await jobs.view(job_id)
    async with kit.database.transaction() as tx:
        await outbox.add(tx, Queue.CONSOLE, KIND, {"job_id": str(job_id)})

    async def count_again(_job: AwaitedJob, _progress: Progress) -> dict[str, Any]:
        return {"counted": "again"}

    assert await run_once(kit, jobs, count_again) == 1
    assert await jobs.view(job_id) == ended


async def test_a_job_of_another_service_or_of_nobody_is_not_found(kit: Kit, jobs: AwaitedJobs) -> None:
    job_id = await requested(kit, jobs)
    elsewhere: Callable[[UUID], Awaitable[AwaitedJob]] = AwaitedJobs(kit, Queue.QUOTA).view
    with pytest.raises(NotFound):
        await elsewhere(job_id)
    with pytest.raises(NotFound):
        await jobs.view(new_id())
    waiting, _ = await jobs.page(state="queued", limit=10, after=None)
    assert job_id in {job.id for job in waiting}


async def test_a_request_that_is_rolled_back_asks_for_nothing(kit: Kit, jobs: AwaitedJobs) -> None:
    with pytest.raises(InvalidRequest):
        await _request_and_refuse(kit, jobs)
    assert await run_once(kit, jobs, counts) == 0


async def _request_and_refuse(kit: Kit, jobs: AwaitedJobs) -> None:
    async with kit.database.transaction() as tx:
        await jobs.request(tx, KIND, {}, requested_by=new_id())
        raise InvalidRequest
