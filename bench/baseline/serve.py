"""Runs the ordinary application beside the platform, in as many processes."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from bench.baseline.app import LEAD
from bench.wire import connect, request_bytes
from deploy.local.listeners import HOST, listen

_READY_SECONDS = 60.0
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Baseline:
    port: int


@asynccontextmanager
async def baseline(*, workers: int, settings: Mapping[str, str], lead: timedelta) -> AsyncIterator[Baseline]:
    """Ready inside, gone outside. `settings` are those of the platform's processes."""
    listeners = listen(0, workers)
    environment = {**os.environ, **settings, LEAD: str(lead.total_seconds())}
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "bench.baseline.worker", str(listener.fileno())),
            env=environment,
            pass_fds=[listener.fileno()],
        )
        for listener in set(listeners)
    ]
    port = listeners[0].getsockname()[1]
    try:
        for listener in listeners:
            listener.close()
        async with asyncio.timeout(_READY_SECONDS):
            await _ready(port, times=4 * workers)
        yield Baseline(port)
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                process.terminate()
        await asyncio.gather(*(process.wait() for process in processes))


async def _ready(port: int, *, times: int) -> None:
    """Several new connections in turn: each may reach another process, and waits until that one answers."""
    for _ in range(times):
        answered = False
        while not answered:
            with suppress(OSError):
                connection = await connect(HOST, port)
                await connection.exchange(request_bytes("GET", "/openapi.json", host=HOST, headers={}))
                connection.close()
                answered = True
            if not answered:
                await asyncio.sleep(_LOOK_SECONDS)
