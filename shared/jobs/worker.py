"""A service's arq worker: relay, periodic work and the one arq function that runs outbox rows.

arq's traps (reference: reliability section 5) and how this shape avoids them: arguments are JSON, never
pickle; nothing is kept in Redis that Postgres does not know; results are not kept; retries are ours;
an aborted or lost arq job is only a late outbox row.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from arq import ArqRedis
from arq.connections import RedisSettings
from arq.typing import WorkerCoroutine
from arq.worker import Worker, func

from shared.clock import machine_now
from shared.clock.operations import following_clock
from shared.jobs import store
from shared.jobs.handlers import Job, Periodic
from shared.jobs.periodic import run_forever
from shared.jobs.relay import relay_forever
from shared.jobs.runner import Runner
from shared.kit import Kit
from shared.logs import configure_logs

_EXPIRES = timedelta(hours=1)
_HEARTBEAT = timedelta(seconds=5)
# The net under everything; what a job may take is its kind's `seconds_max`, renewed while it is at work.
_JOB_SECONDS_MAX = 3600
_GRACE_SECONDS = 20


def _serialise(value: Any) -> bytes:  # noqa: ANN401 - arq hands over whatever it stores
    return json.dumps(value, default=str).encode()


def _deserialise(data: bytes) -> Any:  # noqa: ANN401 - the same
    return json.loads(data)


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a service's worker does: its jobs by kind, its periodic work, and what it closes at its end."""

    queue: str
    jobs: Sequence[Job]
    periodics: Sequence[Periodic] = ()
    closings: Sequence[Callable[[], Awaitable[None]]] = ()


def redis_settings(url: str) -> RedisSettings:
    settings = RedisSettings.from_dsn(url)
    settings.conn_timeout = 2
    settings.conn_retries = 5
    settings.retry_on_timeout = True
    return settings


def build_worker(kit: Kit, parts: WorkerParts) -> Worker:
    """The arq worker of one service; `hv worker SERVICE` and the embedded launcher run it."""
    configure_logs(kit.settings)
    runner = Runner(kit.database, {job.kind: job for job in parts.jobs})

    async def run_outbox(ctx: dict[Any, Any], kind: str, addresses: list[list[Any]]) -> int:  # noqa: ARG001 - arq's form
        return await runner.run(kind, [(int(bucket), UUID(row_id)) for bucket, row_id in addresses])

    stack = contextlib.AsyncExitStack()

    async def startup(ctx: dict[Any, Any]) -> None:
        await kit.database.start()
        stack.push_async_callback(kit.database.stop)
        for close in parts.closings:
            stack.push_async_callback(close)
        await stack.enter_async_context(following_clock(kit))
        heartbeat = Periodic(f"{parts.queue}.heartbeat", _HEARTBEAT, lambda: _beat(kit, parts.queue))
        for loop in (
            relay_forever(kit.database, parts.queue, _enqueue_to(ctx["redis"], parts.queue)),
            run_forever(kit.database, [heartbeat, *parts.periodics]),
        ):
            await stack.enter_async_context(_background(loop))

    async def shutdown(ctx: dict[Any, Any]) -> None:  # noqa: ARG001 - arq's form
        await stack.aclose()

    return Worker(
        functions=[
            func(
                cast("WorkerCoroutine", run_outbox),
                name="run_outbox",
                max_tries=1,
                timeout=_JOB_SECONDS_MAX,
                keep_result=0,
            )
        ],
        queue_name=f"hv:{parts.queue}",
        redis_settings=redis_settings(kit.settings.redis_url),
        on_startup=startup,
        on_shutdown=shutdown,
        job_serializer=_serialise,
        job_deserializer=_deserialise,
        keep_result=0,
        max_tries=1,
        max_jobs=4,
        poll_delay=0.1,
        handle_signals=False,
        job_completion_wait=_GRACE_SECONDS,
        allow_abort_jobs=False,
    )


def _enqueue_to(redis: ArqRedis, queue: str) -> Callable[[str, list[tuple[int, UUID]]], Awaitable[None]]:
    async def enqueue(kind: str, addresses: list[tuple[int, UUID]]) -> None:
        arguments = [[bucket, str(row_id)] for bucket, row_id in addresses]
        await redis.enqueue_job("run_outbox", kind, arguments, _queue_name=f"hv:{queue}", _expires=_EXPIRES)

    return enqueue


async def _beat(kit: Kit, queue: str) -> None:
    async with kit.database.transaction() as tx:
        await store.heartbeat(tx, queue, machine_now())


@contextlib.asynccontextmanager
async def _background(loop: Any) -> Any:  # noqa: ANN401 - a coroutine of any kind
    task = asyncio.create_task(loop)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
