"""Where an HTTP worker spends its time, by py-spy, and what that is called in our house.

py-spy looks at its stack some hundred times a second from outside. A look belongs to the layer of the
innermost frame that belongs to any: what the standard library does is its caller's.
"""

import asyncio
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.machine import cpu_of

LOOKS_A_SECOND = 250
_SECONDS_MAX = 600
_START_SECONDS = 1.0
_END_SECONDS = 30.0
_FRAMES_SHOWN = 12
# The event loop itself, in C: reading and writing sockets, or waiting for them.
LOOP = "event loop and sockets"
ELSEWHERE = "everything else"
# The worker's own thread; what others wait for is no cost.
_MAIN = "deploy/local/http_worker.py"
_WHO = ("shared/identity/", "services/redemption/terminals/", "jwt/")
# A layer, and what its frames have in their name; the first that fits counts.
LAYERS: Sequence[tuple[str, tuple[str, ...]]] = (
    ("body parsing", ("decode (shared/http/hot.py", "msgspec", "body (starlette/", "stream (starlette/")),
    ("signature and token", ("shared/signing/", "shared/http/signed.py", "shared/http/auth.py", *_WHO)),
    ("answer", ("answer (shared/http/hot.py", "starlette/responses.py", "replied (services/")),
    ("ASGI edge", ("shared/http/",)),
    ("routing", ("starlette/", "fastapi/")),
    ("asyncpg", ("asyncpg/", "shared/db/")),
    ("batching", ("shared/batching/",)),
    ("the operation", ("services/", "shared/")),
    ("uvicorn and httptools", ("uvicorn/protocols/", "httptools")),
    (LOOP, (_MAIN,)),
)


@dataclass(frozen=True, slots=True)
class Layer:
    """`share` is of all looks, `micros` CPU µs a request."""

    name: str
    share: float
    micros: float


@dataclass(slots=True)
class Profile:
    """`looks` is 0 where nothing was recorded; `missing` then says why. `cpu` is what the worker used (s)."""

    missing: str = ""
    looks: int = 0
    cpu: float = 0.0
    by_layer: Counter[str] = field(default_factory=Counter)
    by_frame: Counter[str] = field(default_factory=Counter)

    def layers(self, micros: float) -> list[Layer]:
        """The layers by their cost, when a request costs so many CPU µs in the worker.

        A look cannot tell the loop's work from its waiting: the loop's is what CPU time our own code leaves.
        On a machine that is not quiet our code waits for a core as well, and the looks alone must do.
        """
        seconds = {name: count / LOOKS_A_SECOND for name, count in self.by_layer.items()}
        code = sum(took for name, took in seconds.items() if name != LOOP)
        if code <= self.cpu:
            seconds[LOOP] = self.cpu - code
        total = sum(seconds.values())
        by_cost = sorted(seconds.items(), key=lambda one: one[1], reverse=True)
        return [Layer(name, took / total, micros * took / total) for name, took in by_cost]

    def frames(self) -> list[tuple[str, float]]:
        """The innermost frames that were seen most, with their share."""
        return [(frame, count / self.looks) for frame, count in self.by_frame.most_common(_FRAMES_SHOWN)]


def layer_of(frames: Sequence[str]) -> str:
    """The layer of a stack, whose outermost frame comes first."""
    for frame in reversed(frames):
        for name, words in LAYERS:
            if any(word in frame for word in words):
                return name
    return ELSEWHERE


def parse_raw(lines: Iterable[str]) -> Profile:
    """py-spy's raw form: `frame;frame;… count`, a frame being `function (file:line)`."""
    profile = Profile()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        if not count.isdigit():
            continue
        frames = stack.split(";")
        if not any(_MAIN in frame for frame in frames):
            continue
        profile.looks += int(count)
        profile.by_layer[layer_of(frames)] += int(count)
        profile.by_frame[frames[-1].partition(":")[0].rstrip(")") + ")"] += int(count)
    return profile


def spy() -> str | None:
    """py-spy's path: beside this Python, or where programs are looked for."""
    beside = Path(sys.executable).with_name("py-spy")
    return str(beside) if beside.exists() else shutil.which("py-spy")


@asynccontextmanager
async def profiled(process: int) -> AsyncIterator[Profile]:
    """Looks at the process while the block runs; the profile is filled in when it ends."""
    profile, program = Profile(), spy()
    if program is None:
        profile.missing = "py-spy is not installed (pip install py-spy): no profile."
        yield profile
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "stacks.txt")
        options = ("-d", str(_SECONDS_MAX), "-r", str(LOOKS_A_SECOND), "-f", "raw", "-o", str(file))
        spying = await asyncio.create_subprocess_exec(
            *(program, "record", *options, "-p", str(process)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        await asyncio.sleep(_START_SECONDS)
        before = cpu_of(process)
        try:
            yield profile
        finally:
            profile.cpu = cpu_of(process) - before
            said = await _ended(spying)
        recorded = await asyncio.to_thread(_lines, file)
    found = parse_raw(recorded)
    profile.looks, profile.by_layer, profile.by_frame = found.looks, found.by_layer, found.by_frame
    if not profile.looks:
        profile.missing = f"py-spy could not look: {said}"


async def _ended(spying: asyncio.subprocess.Process) -> str:
    """Asks it to write what it has, and returns the last line that it said."""
    with suppress(ProcessLookupError):
        spying.send_signal(signal.SIGINT)
    try:
        async with asyncio.timeout(_END_SECONDS):
            _, error = await spying.communicate()
    except TimeoutError:
        spying.kill()
        return "it did not end"
    lines = error.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it says nothing"


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines() if file.exists() else []
