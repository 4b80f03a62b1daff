"""The launcher's side of the watchdog process."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

WATCHDOG = Path(__file__).with_name("watchdog.py")


class Watchdog:
    """Tells the watchdog process which children there are; starts it again when somebody ended it."""

    def __init__(self) -> None:
        self._pids: set[int] = set()
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._process = await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    def add(self, pid: int) -> None:
        self._pids.add(pid)
        self._tell(pid)

    def remove(self, pid: int) -> None:
        self._pids.discard(pid)
        self._tell(-pid)

    async def stop(self) -> None:
        if self._keeper:
            self._keeper.cancel()
        if self._process and self._process.stdin:
            self._process.stdin.close()
            await self._process.wait()

    async def _spawn(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            str(WATCHDOG),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )

    async def _keep(self) -> None:
        while self._process:
            await self._process.wait()
            self._process = await self._spawn()
            for pid in self._pids:
                self._tell(pid)

    def _tell(self, number: int) -> None:
        if self._process and self._process.stdin:
            with suppress(ConnectionError):  # it was ended this moment; the next one is told everything
                self._process.stdin.write(f"{number}\n".encode())
