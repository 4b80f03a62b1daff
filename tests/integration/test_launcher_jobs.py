"""The jobs process: a worker that fails comes back, one that is stopped finishes its job."""

import asyncio
from collections.abc import Callable
from typing import Any, cast
from uuid import uuid4

import pytest
import redis.exceptions
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.typing import StartupShutdown, WorkerCoroutine
from arq.worker import Worker, func

from deploy.local import jobs
from deploy.local.jobs import Shift
from tests.support.servers import Servers

# arq's own close calls what redis-py calls deprecated; as an error it would keep the connections open.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")


class Bench:
    """Makes workers on a queue of its own, and writes down what they go through."""

    def __init__(self, servers: Servers) -> None:
        self.settings = RedisSettings.from_dsn(servers.redis_url)
        self.queue = f"hv:test:{uuid4().hex}"
        self.diary: list[str] = []
        self.begun = asyncio.Event()
        self.fail_start = 0
        self.fail_poll = 0

    def create(self) -> Worker:
        worker = Worker(
            [func(cast("WorkerCoroutine", self.job), name="job")],
            queue_name=self.queue,
            redis_settings=self.settings,
            on_startup=cast("StartupShutdown", self.on_startup),
            on_shutdown=cast("StartupShutdown", self.on_shutdown),
            handle_signals=False,
            job_completion_wait=5,
            poll_delay=0.02,
        )
        if self.fail_poll:
            self.fail_poll -= 1
            worker._poll_iteration = self._lose_redis(worker)  # type: ignore[method-assign]
        return worker

    async def job(self, _ctx: dict[Any, Any], text: str) -> None:
        self.begun.set()
        await asyncio.sleep(0.2)
        self.diary.append(text)

    async def on_startup(self, _ctx: dict[Any, Any]) -> None:
        if self.fail_start:
            self.fail_start -= 1
            raise RuntimeError("not yet")
        self.diary.append("start")

    async def on_shutdown(self, _ctx: dict[Any, Any]) -> None:
        self.diary.append("end")

    def _lose_redis(self, worker: Worker) -> Callable[[], Any]:
        async def lose() -> None:
            async def gone(*_keys: str) -> int:
                raise redis.exceptions.ConnectionError("gone")

            worker.pool.delete = gone  # type: ignore[method-assign, assignment]
            raise redis.exceptions.ConnectionError("gone")

        return lose

    async def enqueue(self, text: str) -> None:
        pool: ArqRedis = await create_pool(self.settings)
        await pool.enqueue_job("job", text, _queue_name=self.queue)
        await pool.aclose(close_connection_pool=True)


@pytest.fixture
def bench(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(jobs, "BACKOFF_FIRST_SECONDS", 0.05)
    return Bench(servers)


async def test_a_running_job_is_finished_before_the_end(bench: Bench) -> None:
    shift = Shift("stub", bench.create)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(shift.run())
        await shift.started.wait()
        await bench.enqueue("finished")
        await bench.begun.wait()
        shift.stop()
    assert bench.diary == ["start", "finished", "end"]


async def test_a_worker_that_cannot_start_is_tried_again(bench: Bench) -> None:
    bench.fail_start = 2
    await _until_a_job_ran(bench)
    # What a failed start may have opened is closed as well.
    assert bench.diary == ["end", "end", "start", "done", "end"]


async def test_a_worker_without_redis_is_ended_whole_before_the_next(bench: Bench) -> None:
    bench.fail_poll = 1
    await _until_a_job_ran(bench)
    assert bench.diary == ["start", "end", "start", "done", "end"]


async def _until_a_job_ran(bench: Bench) -> None:
    shift = Shift("stub", bench.create)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(shift.run())
        await bench.enqueue("done")
        await bench.begun.wait()
        shift.stop()


async def test_a_stop_during_the_pause_ends_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BACKOFF_FIRST_SECONDS", 60.0)
    bench.fail_start = 1
    shift = Shift("stub", bench.create)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(shift.run())
        while "end" not in bench.diary:  # noqa: ASYNC110 – the diary is all that a failed start leaves
            await asyncio.sleep(0.01)
        shift.stop()
    assert bench.diary == ["end"]
