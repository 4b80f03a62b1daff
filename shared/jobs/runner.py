"""Runs outbox rows: attempt, effect, end – fenced so that nothing takes effect twice or gets lost."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from shared.clock import machine_now, machine_seconds
from shared.db import Database, retried
from shared.jobs.handlers import Effect, Job
from shared.metrics.http import observe_job
from shared.outbox import OutboxItem, store

log = structlog.get_logger(__name__)

_BACKOFF_FIRST_SECONDS = 2
_BACKOFF_LONGEST_SECONDS = 900


class TakenOver(Exception):
    """Another worker took these rows over while this one worked; its attempt is rolled back."""


def backoff(attempt: int) -> timedelta:
    """2 s, 4 s, 8 s … at most 15 minutes."""
    return timedelta(seconds=min(_BACKOFF_FIRST_SECONDS ** min(attempt, 10), _BACKOFF_LONGEST_SECONDS))


class Runner:
    def __init__(self, database: Database, jobs: Mapping[str, Job]) -> None:
        self._database = database
        self._jobs = jobs

    async def run(self, kind: str, addresses: Sequence[tuple[int, UUID]]) -> int:
        """Does these rows of one kind; unknown kinds and ids do nothing. Returns how many were done."""
        job = self._jobs.get(kind)
        if job is None:
            log.warning("Job of an unknown kind ignored", kind=kind)
            return 0
        if job.alone:
            return sum([await self._run(job, [address]) for address in addresses])
        return await self._run(job, addresses)

    async def _run(self, job: Job, addresses: Sequence[tuple[int, UUID]]) -> int:
        async with self._database.transaction() as tx:
            items = await store.begin(
                tx, job.kind, addresses, machine_now() + timedelta(seconds=job.seconds_max)
            )
        if not items:
            return 0
        started = machine_seconds()
        done = await self._together(job.effect, job, items) if job.effect else await self._each(job, items)
        outcome = "done" if done == len(items) else "failed"
        observe_job(job=job.kind, outcome=outcome, seconds=machine_seconds() - started)
        return done

    async def _together(self, effect: Effect, job: Job, items: Sequence[OutboxItem]) -> int:
        try:
            await self._take_effect(effect, items)
        except TakenOver:
            log.info("Job rows were taken over by another worker", kind=job.kind)
            return 0
        except Exception as error:  # noqa: BLE001 - a failed effect is retried and shown, whatever it was
            if len(items) == 1:
                await self._put_back(job, items[0], error)
                return 0
            # One bad row must not hold up the good ones: each alone.
            return sum([await self._together(effect, job, [item]) for item in items])
        return len(items)

    @retried
    async def _take_effect(self, effect: Effect, items: Sequence[OutboxItem]) -> None:
        async with self._database.transaction(slow=True) as tx:
            ours = await store.finish(tx, items)
            if len(ours) != len(items):
                raise TakenOver
            await effect(tx, items)

    async def _each(self, job: Job, items: Sequence[OutboxItem]) -> int:
        done = 0
        for item in items:
            try:
                assert job.errand is not None  # noqa: S101 - a job has an effect or an errand
                await job.errand(item)
            except Exception as error:  # noqa: BLE001 - the outside may fail in any way; retried and shown
                await self._put_back(job, item, error)
                continue
            async with self._database.transaction() as tx:
                await store.finish(tx, [item])
            done += 1
        return done

    async def _put_back(self, job: Job, item: OutboxItem, error: Exception) -> None:
        dead = item.attempt >= job.attempts_max
        log.warning(
            "Job failed",
            kind=job.kind,
            outbox_id=str(item.id),
            attempt=item.attempt,
            dead=dead,
            exc_info=error,
        )
        async with self._database.transaction() as tx:
            await store.retry(
                tx,
                item,
                next_at=machine_now() + backoff(item.attempt),
                error=f"{type(error).__name__}: {error}",
                dead=dead,
            )
