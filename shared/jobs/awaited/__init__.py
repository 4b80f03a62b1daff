"""Jobs that somebody waits for: their state, progress and result stand in `core.job` (api.md section 3).

The row and the outbox row that gets it done are one transaction. Work is told apart from its telling: it
may be begun again after a crash, so it must be safe to run twice; its end is written once.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.clock import machine_now, machine_seconds
from shared.db import Tx
from shared.errors import NotFound, Refusal
from shared.ids import new_id
from shared.jobs.awaited import store
from shared.jobs.awaited.store import AwaitedJob
from shared.jobs.handlers import Job
from shared.jobs.kinds import Queue
from shared.jobs.runner import TakenOver
from shared.kit import Kit
from shared.outbox import OutboxItem, add
from shared.outbox.store import renew

# A worker that died leaves its job to others after this time; a living one renews in time.
LEASE = timedelta(seconds=30)
_RENEW_SECONDS = 10.0
# Progress is for people: more often than this they cannot see it, and each telling is a commit.
_TELL_SECONDS = 0.5
_ATTEMPTS_MAX = 4
_FAULT = "处理失败，请联系运维人员，并告知任务编号。"


@dataclass(slots=True)
class Progress:
    """How far a job is. Telling is cheap to call: most calls write nothing."""

    kit: Kit
    job_id: UUID
    _told_at: float = field(default_factory=lambda: float("-inf"))
    _told: int = 0

    async def report(self, done: int, total: int) -> None:
        """`done` of `total` pieces; shown as 0–99 until the job has ended."""
        percent = min(99, 100 * done // total) if total > 0 else 0
        now = machine_seconds()
        if percent <= self._told or now - self._told_at < _TELL_SECONDS:
            return
        self._told_at, self._told = now, percent
        async with self.kit.database.transaction() as tx:
            await store.tell(tx, self.job_id, percent)


# Does the job and returns its result (JSON). A Refusal ends the job as failed with its sentence.
Work = Callable[[AwaitedJob, Progress], Coroutine[Any, Any, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class AwaitedJobs:
    """The awaited jobs of one service."""

    kit: Kit
    service: Queue

    async def request(
        self, tx: Tx, kind: str, arguments: dict[str, Any], *, requested_by: UUID | None
    ) -> dict[str, str]:
        """Asks for a job in the caller's transaction; returns the 202 answer. `arguments` hold ids only.

        `requested_by` is None for what the platform wants of itself.
        """
        job_id = new_id()
        await store.insert_job(
            tx, job_id, kind, arguments, requested_by=requested_by, now=self.kit.clock.now()
        )
        await add(tx, self.service, kind, {"job_id": str(job_id)})
        return {"job_id": str(job_id)}

    async def request_once(self, tx: Tx, kind: str, arguments: dict[str, Any] | None = None) -> bool:
        """Asks for a job that the platform wants of itself; False when the same is under way already."""
        wanted = arguments or {}
        if await store.is_under_way(tx, kind, wanted):
            return False
        await self.request(tx, kind, wanted, requested_by=None)
        return True

    async def latest(self, kind: str) -> AwaitedJob | None:
        """The last one of this kind that succeeded."""
        async with self.kit.database.snapshot() as tx:
            return await store.latest(tx, kind)

    async def view(self, job_id: UUID | None) -> AwaitedJob:
        """Raises NotFound, also for another service's job."""
        async with self.kit.database.snapshot() as tx:
            found = None if job_id is None else await store.by_id(tx, job_id)
        if found is None or not found.kind.startswith(f"{self.service}."):
            raise NotFound
        return found

    async def page(
        self, *, state: str | None, limit: int, after: tuple[datetime, UUID] | None
    ) -> tuple[list[AwaitedJob], int]:
        """Newest first, one more than `limit` when there are more; and how many there are."""
        kinds = f"{self.service}."
        async with self.kit.database.snapshot() as tx:
            found = await store.page(tx, kinds, state, limit=limit + 1, after=after)
            return found, await store.count(tx, kinds, state)

    def job(self, kind: str, work: Work) -> Job:
        """The worker's side: `work` runs for every job of this kind."""

        async def errand(item: OutboxItem) -> None:
            await self._do(item, work)

        return Job(
            kind,
            errand=errand,
            attempts_max=_ATTEMPTS_MAX,
            seconds_max=int(LEASE.total_seconds()),
            alone=True,
        )

    async def _do(self, item: OutboxItem, work: Work) -> None:
        job_id = UUID(item.payload["job_id"])
        async with self.kit.database.transaction() as tx:
            job = await store.start(tx, job_id)
        if job is None:
            return
        try:
            result = await self._kept(item, work(job, Progress(self.kit, job_id)))
        except Refusal as refusal:
            await self._end(job_id, state="failed", error=refusal.detail("zh"))
            return
        except TakenOver:
            raise
        except Exception:
            if item.attempt >= _ATTEMPTS_MAX:
                await self._end(job_id, state="failed", error=_FAULT)
            raise
        await self._end(job_id, state="succeeded", result=result)

    async def _end(
        self, job_id: UUID, *, state: str, result: dict[str, Any] | None = None, error: str | None = None
    ) -> None:
        async with self.kit.database.transaction() as tx:
            await store.end(tx, job_id, state=state, result=result, error=error, now=self.kit.clock.now())

    async def _kept(self, item: OutboxItem, work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        """Does the work, and keeps it ours meanwhile. Raises TakenOver when it no longer is."""
        task = asyncio.create_task(work)
        try:
            while not (await asyncio.wait({task}, timeout=_RENEW_SECONDS))[0]:
                async with self.kit.database.transaction() as tx:
                    if not await renew(tx, item, lease_until=machine_now() + LEASE):
                        raise TakenOver
            return task.result()
        finally:
            task.cancel()
            await asyncio.wait({task})
