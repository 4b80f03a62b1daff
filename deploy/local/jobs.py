"""One process for the arq workers of all services: `GATE_FD READY_FILE MODULE:FACTORY`.

Four processes would cost 400 MB more on a single machine. A worker that fails (arq's main loop ends when
Redis restarts) is built anew after a pause, without touching the others.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import uvloop
from arq.worker import Worker
from redis.exceptions import RedisError
from uvicorn.importer import import_from_string

from deploy.local.gate import wait_at
from deploy.local.names import SERVICES
from deploy.local.services import worker_factory
from shared.settings import SettingsMissing, load_settings

BACKOFF_FIRST_SECONDS = 0.5
BACKOFF_LONGEST_SECONDS = 15.0
HEALTHY_SECONDS = 60.0

Factory = Callable[[], Worker]

log = logging.getLogger(__name__)


class Shift:
    """Keeps one service's worker at work until told to stop."""

    def __init__(self, name: str, create: Factory) -> None:
        self.name = name
        self.started = asyncio.Event()
        self._create = create
        self._worker: Worker | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        pause = BACKOFF_FIRST_SECONDS
        while not self._stopping.is_set():
            since = loop.time()
            try:
                await self._work()
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("Worker of %s lost its queue, back in %g s: %s", self.name, pause, error)
            except Exception:
                log.exception("Worker of %s failed, back in %g s", self.name, pause)
            if loop.time() - since > HEALTHY_SECONDS:
                pause = BACKOFF_FIRST_SECONDS
            await self._rest(pause)
            pause = min(pause * 2, BACKOFF_LONGEST_SECONDS)

    def stop(self) -> None:
        """Running jobs may finish within the worker's grace period; no new one is begun."""
        self._stopping.set()
        if self._worker and self._worker.main_task:
            self._worker.handle_sig_wait_for_completion(signal.SIGTERM)

    async def _work(self) -> None:
        worker = self._worker = self._create()
        begin = worker.on_startup

        async def on_startup(ctx: dict[object, object]) -> None:
            if begin:
                await begin(ctx)
            self.started.set()

        worker.on_startup = on_startup
        try:
            await worker.async_run()
        except asyncio.CancelledError:
            if not self._stopping.is_set():
                raise
        finally:
            self._worker = None
            await _close(worker)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass


async def _close(worker: Worker) -> None:
    """Closes the worker also when its Redis is gone.

    arq's own close speaks to Redis before it calls `on_shutdown`; without Redis that never happens, and
    the background tasks and connections of the old worker would stay beside those of the new one.
    """
    try:
        await worker.close()
    except (RedisError, OSError, TimeoutError, asyncio.CancelledError):
        if worker.on_shutdown:
            await worker.on_shutdown(worker.ctx)
        with suppress(RedisError, OSError):
            await worker.pool.aclose(close_connection_pool=True)


async def run_workers(factories: Mapping[str, Factory], ready: Path | None = None) -> None:
    """Until SIGTERM or Ctrl-C. Makes the file `ready` when every worker has started."""
    shifts = [Shift(name, create) for name, create in factories.items()]
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as tasks:
        for shift in shifts:
            tasks.create_task(shift.run())
        announcing = tasks.create_task(_announce(shifts, ready))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: _end(shifts, announcing))


async def _announce(shifts: list[Shift], ready: Path | None) -> None:
    for shift in shifts:
        await shift.started.wait()
    if ready:
        await asyncio.to_thread(ready.touch)


def _end(shifts: list[Shift], announcing: asyncio.Task[None]) -> None:
    announcing.cancel()
    for shift in shifts:
        shift.stop()


def create_workers() -> dict[str, Factory]:
    settings = load_settings()
    return {name: partial(worker_factory(name), settings) for name in SERVICES}


def main(arguments: list[str]) -> None:
    gate, ready, factory = arguments
    try:
        factories: dict[str, Factory] = import_from_string(factory)()
    except SettingsMissing as error:
        sys.exit(str(error))
    wait_at(int(gate))
    uvloop.run(run_workers(factories, Path(ready)))


if __name__ == "__main__":
    main(sys.argv[1:])
