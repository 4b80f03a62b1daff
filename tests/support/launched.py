"""A launcher process under test, and everything that it started."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
POLL_SECONDS = 0.05

STUB_STACK = (sys.executable, "-m", "tests.support.stub_stack")


def wait_for(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Polls, because processes of other processes cannot be awaited."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(POLL_SECONDS)


async def eventually(true: Callable[[], Awaitable[object]], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if await true():
                return
            await asyncio.sleep(POLL_SECONDS)


@dataclass(frozen=True)
class Started:
    """A process, told apart from a later one of the same number by its start time."""

    pid: int
    begun: str

    @property
    def alive(self) -> bool:
        return _stat(self.pid)[1:] == ("alive", self.begun)


def _stat(pid: int) -> tuple[int, str, str]:
    """Parent, alive or dead (a zombie is dead), start time."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0, "dead", ""
    return int(fields[1]), "dead" if fields[0] in "ZX" else "alive", fields[19]


def descendants(pid: int) -> set[Started]:
    parents = {int(entry.name): _stat(int(entry.name)) for entry in Path("/proc").glob("[0-9]*")}
    found = {pid}
    while more := {child for child, stat in parents.items() if stat[0] in found} - found:
        found |= more
    return {Started(child, parents[child][2]) for child in found - {pid}}


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").replace("\0", " ")
    except FileNotFoundError:
        return ""


@dataclass
class Launched:
    process: subprocess.Popen[str]
    base_url: str
    home: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.base_url + path, timeout=10)

    def child(self, words: str) -> Started:
        """The one child whose command line holds the words."""
        (found,) = self.children(words)
        return found

    def children(self, words: str) -> list[Started]:
        """Those whose command line holds the words, at this moment."""
        return [one for one in descendants(self.process.pid) if words in command_line(one.pid)]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=40)


def run_to_end(
    home: Path,
    *,
    port: int = 0,
    program: Mapping[str, str] = {},
    environment: Mapping[str, str] = {},
) -> subprocess.CompletedProcess[str]:
    """For a launcher that is to refuse: its exit code and what it said."""
    return subprocess.run(  # noqa: S603 – ourselves
        [*STUB_STACK, str(home), str(port), "1", json.dumps(dict(program))],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


@contextmanager
def launched(
    home: Path, *, workers: int = 1, prefix: tuple[str, ...] = (), wait: bool = True
) -> Iterator[Launched]:
    """A stack of stub programs, waited for until it is ready and ended with the block."""
    with (
        (home.parent / f"{home.name}-errors.log").open("a+") as errors,
        subprocess.Popen(  # noqa: S603 – ourselves
            [*prefix, *STUB_STACK, str(home), "0", str(workers)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield Launched(process, _ready_url(process, errors) if wait else "", home)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=40)


def _ready_url(process: subprocess.Popen[str], errors: IO[str]) -> str:
    assert process.stdout
    line = process.stdout.readline()
    errors.seek(0)
    assert line.startswith("ready http://127.0.0.1:"), errors.read()
    return line.split()[1]


def refusal(ended: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a launcher that refused: no traceback, nothing on standard output."""
    assert ended.returncode == 1, ended
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    return ended.stderr.splitlines()[-1].removeprefix("hv: ")
