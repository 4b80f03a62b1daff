"""Keeps the parts of the stack running: started in order, restarted when they die, stopped in reverse."""

import asyncio
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol

from deploy.local.errors import LaunchError
from deploy.local.gate import Gate
from deploy.local.nets import Watchdog
from deploy.local.process import Command, log_size, spawn, stop
from deploy.local.readiness import wait_ready

BACKOFF_FIRST_SECONDS = 0.5
BACKOFF_LONGEST_SECONDS = 30.0
# A part that ran this long was healthy: its next death starts with a short pause again.
HEALTHY_SECONDS = 60.0
LOG_CHECK_SECONDS = 60.0
LOG_BYTES_MAX = 20_000_000


class Part(Protocol):
    """One process of the stack. `prepare` runs before every start, also before a restart."""

    @property
    def name(self) -> str: ...
    @property
    def log(self) -> Path: ...
    @property
    def start_seconds(self) -> float: ...
    async def prepare(self) -> Command: ...
    async def ready(self) -> bool: ...
    def explain(self, start: int) -> str: ...


def say(text: str) -> None:
    """Progress goes to standard error: standard output carries the one line `ready …`."""
    sys.stderr.write(f"hv: {text}\n")
    sys.stderr.flush()


class Child:
    """A part and the process that currently plays it."""

    def __init__(self, part: Part, watchdog: Watchdog) -> None:
        self.part = part
        self._watchdog = watchdog
        self._command: Command | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self, gate: Gate | None = None) -> None:
        """Returns when the part is ready. The time it may take begins when the gate opens.

        Raises:
            LaunchError: it ended or was not ready in time; says why in one sentence.
        """
        start = log_size(self.part.log)
        process = await self._spawn()
        explain = partial(self.part.explain, start)
        if gate:
            await wait_ready(process, gate.is_open, seconds=None, explain=explain)
        await wait_ready(process, self.part.ready, seconds=self.part.start_seconds, explain=explain)
        self._keeper = asyncio.create_task(self._keep(process))

    async def stop(self) -> None:
        if self._keeper:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
        if self._process and self._command:
            await stop(self._process, self._command)
            self._watchdog.remove(self._process.pid)

    async def _spawn(self) -> asyncio.subprocess.Process:
        self._command = await self.part.prepare()
        self._process = await spawn(self._command)
        self._watchdog.add(self._process.pid)
        return self._process

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        loop = asyncio.get_running_loop()
        pause = BACKOFF_FIRST_SECONDS
        since = loop.time()
        while True:
            code = await process.wait()
            self._watchdog.remove(process.pid)
            if self._command and self._command.on_death:
                self._command.on_death()
            pause = BACKOFF_FIRST_SECONDS if loop.time() - since > HEALTHY_SECONDS else pause
            say(f"{self.part.name} ended ({_how(code)}), starting it again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, BACKOFF_LONGEST_SECONDS)
            since = loop.time()
            try:
                process = await self._spawn()
            except LaunchError as error:
                # For instance a full disk: it is tried again, somebody may make room.
                say(f"{self.part.name} cannot start: {error}")


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


class Supervisor:
    """Groups of parts in the order of their start; they are stopped in the reverse order."""

    def __init__(self) -> None:
        self._watchdog = Watchdog()
        self._groups: list[list[Child]] = []
        self._janitor: asyncio.Task[None] | None = None

    async def open(self) -> None:
        await self._watchdog.start()
        self._janitor = asyncio.create_task(self._trim_logs())

    async def start(self, *parts: Part, gate: Gate | None = None) -> None:
        """Starts parts that do not need each other, all at once; those behind a gate load meanwhile."""
        group = [Child(part, self._watchdog) for part in parts]
        self._groups.append(group)
        async with asyncio.TaskGroup() as starts:
            for child in group:
                starts.create_task(child.start(gate))

    async def run(self, command: Command, explain: Callable[[int], str]) -> None:
        """Runs a command to its end, under the same nets."""
        start = log_size(command.log)
        process = await spawn(command)
        self._watchdog.add(process.pid)
        try:
            if await process.wait() != 0:
                raise LaunchError(explain(start))
        finally:
            await stop(process, command)
            self._watchdog.remove(process.pid)

    async def stop(self) -> None:
        if self._janitor:
            self._janitor.cancel()
        while self._groups:
            await asyncio.gather(*(child.stop() for child in self._groups.pop()))
        await self._watchdog.stop()

    async def _trim_logs(self) -> None:
        while True:
            await asyncio.sleep(LOG_CHECK_SECONDS)
            for log in {child.part.log for group in self._groups for child in group}:
                trim_log(log)


def trim_log(path: Path, limit: int = LOG_BYTES_MAX) -> None:
    """Keeps one older file. Copied and cut, because the processes hold the file open (in append mode)."""
    if log_size(path) > limit:
        shutil.copyfile(path, path.with_suffix(".log.1"))
        with path.open("r+b") as file:
            file.truncate()
