"""What the stack costs (CPU seconds and memory by role) and the machine that it ran on. Linux, from /proc."""

import asyncio
import os
import platform
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

PROC = Path("/proc")
ROOT = Path(__file__).resolve().parents[1]
HTTP, JOBS, REDIS, OTHER = "http", "jobs", "redis", "other"
# The load, and what is measured beside the platform: no part of the stack.
GENERATOR, BASELINE, SPY = "generator", "baseline", "py-spy"
BACKENDS, BACKGROUND = "postgres backends", "postgres background"
STACK = (HTTP, JOBS, BACKENDS, BACKGROUND, REDIS, OTHER)
_TICKS = os.sysconf("SC_CLK_TCK")
_IN_BACKGROUND = (
    "checkpointer",
    "writer",
    "autovacuum",
    "walwriter",
    "logical",
    "io worker",
    "walsummarizer",
)
_BY_NAME = {
    "postgres": BACKGROUND,
    "valkey-server": REDIS,
    "redis-server": REDIS,
    "pgbench": GENERATOR,
    "py-spy": SPY,
}
_BY_MODULE = {"deploy.local.http_worker": HTTP, "deploy.local.jobs": JOBS, "bench.baseline": BASELINE}
# pgbench, and the ordinary application.
_AT_THE_DATABASE = frozenset({GENERATOR, BASELINE})
_MEMORY_LOOK_SECONDS = 0.5
_FSYNC_SECONDS = 0.5
_PACKAGES = (
    "fastapi",
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
    "pydantic",
    "msgspec",
    "asyncpg",
    "sqlalchemy",
)


@dataclass(frozen=True, slots=True)
class Process:
    """One process: CPU seconds of its own, and of children that it has waited for."""

    id: int
    parent: int
    command: str
    cpu: float
    children_cpu: float


def parse_stat(stat: str, command: str) -> Process:
    """/proc/<id>/stat; the name in it may hold blanks and parentheses."""
    ident, _, rest = stat.partition(" ")
    values = rest.rpartition(")")[2].split()
    user, system, waited_user, waited_system = (int(value) / _TICKS for value in values[11:15])
    return Process(int(ident), int(values[1]), command, user + system, waited_user + waited_system)


def role_of(command: str) -> str:
    """The role of a process by its command line."""
    if command.startswith("postgres:"):
        return BACKGROUND if any(word in command for word in _IN_BACKGROUND) else BACKENDS
    name = command.split(" ", 1)[0].rpartition("/")[2]
    if name in _BY_NAME:
        return _BY_NAME[name]
    return next((role for module, role in _BY_MODULE.items() if module in command), OTHER)


def family(processes: Iterable[Process], root: int) -> Iterator[Process]:
    """The process with this id and all that it started, directly or not."""
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process)
        if process.id == root:
            yield process
    waiting = [root]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            yield child
            waiting.append(child.id)


def cpu_by_role(processes: Iterable[Process], root: int) -> dict[str, float]:
    """CPU seconds so far; those of a server's ended connections are known by the server."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for process in processes:
        role = GENERATOR if process.id == root else role_of(process.command)
        seconds[role] += process.cpu
        waited_by = BACKENDS if role == BACKGROUND else role
        seconds[waited_by] += process.children_cpu
    return dict(seconds)


def parse_pss(rollup: str) -> int:
    """Bytes of /proc/<id>/smaps_rollup: its share of shared pages counted, so that a sum counts each once."""
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def parse_busy(stat: str) -> float:
    """CPU seconds of the whole machine that were not idle, from the first line of /proc/stat."""
    user, nice, system, _idle, _iowait, interrupts, soft, stolen = map(int, stat.split()[1:9])
    return (user + nice + system + interrupts + soft + stolen) / _TICKS


def _processes() -> list[Process]:
    found = []
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                command = (folder / "cmdline").read_text("utf-8", "replace").replace("\0", " ")
                found.append(parse_stat((folder / "stat").read_text("utf-8", "replace"), command))
    return found


def cpu_of(process: int) -> float:
    """CPU seconds of one process so far."""
    return parse_stat((PROC / str(process) / "stat").read_text("utf-8", "replace"), "").cpu


@dataclass(frozen=True, slots=True)
class _Moment:
    at: float
    busy: float
    roles: Mapping[str, float]


def _moment() -> _Moment:
    roles = cpu_by_role(family(_processes(), os.getpid()), os.getpid())
    busy = parse_busy((PROC / "stat").read_text("utf-8").partition("\n")[0])
    return _Moment(time.monotonic(), busy, roles)


@dataclass(slots=True)
class Usage:
    """CPU seconds by role while a block ran. `foreign` is the share of all cores that others used."""

    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    foreign: float = 0.0

    def micros(self, role: str, items: int) -> float:
        """CPU µs for each item."""
        return self.cpu.get(role, 0.0) / items * 1e6 if items else 0.0


@contextmanager
def used() -> Iterator[Usage]:
    """What the block inside used; filled in when it ends."""
    usage, before = Usage(), _moment()
    yield usage
    after = _moment()
    usage.seconds = after.at - before.at
    usage.cpu = {role: max(0.0, after.roles[role] - before.roles.get(role, 0.0)) for role in after.roles}
    ours = sum(usage.cpu.values())
    cores = os.cpu_count() or 1
    usage.foreign = (
        max(0.0, after.busy - before.busy - ours) / (usage.seconds * cores) if usage.seconds else 0.0
    )


def memory_by_role() -> dict[str, int] | None:
    """Bytes of each role now, shared pages counted once.

    None while others than the stack are at its database: their connections' memory is not the stack's.
    """
    processes = list(family(_processes(), os.getpid()))
    told: Counter[str] = Counter()
    for process in processes:
        with suppress(OSError):
            rollup = (PROC / str(process.id) / "smaps_rollup").read_text("utf-8")
            role = GENERATOR if process.id == os.getpid() else role_of(process.command)
            told[role] += parse_pss(rollup)
    # Also those that came while this looked.
    at_the_database = [*processes, *family(_processes(), os.getpid())]
    if any(role_of(process.command) in _AT_THE_DATABASE for process in at_the_database):
        return None
    return dict(told)


def processes_of(role: str) -> list[int]:
    """The ids of the stack's processes of this role."""
    return [one.id for one in family(_processes(), os.getpid()) if role_of(one.command) == role]


@dataclass(slots=True)
class Memory:
    """The most that the whole stack held at one look, and what each role held then. Bytes."""

    peak: int = 0
    roles: dict[str, int] = field(default_factory=dict)

    def look(self) -> None:
        roles = memory_by_role()
        if roles is None:
            return
        total = sum(roles.get(role, 0) for role in STACK)
        if total > self.peak:
            self.peak, self.roles = total, roles


@asynccontextmanager
async def memory_watched() -> AsyncIterator[Memory]:
    """Looks twice a second while the block runs."""
    memory = Memory()

    async def looking() -> None:
        while True:
            await asyncio.to_thread(memory.look)
            await asyncio.sleep(_MEMORY_LOOK_SECONDS)

    task = asyncio.create_task(looking())
    try:
        yield memory
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def fsyncs_a_second(folder: Path) -> float:
    """How often 8 kB can be made durable on the disk of this folder, one after the other."""
    with tempfile.TemporaryFile(dir=folder) as file:
        block, count, started = bytes(8192), 0, time.monotonic()
        while time.monotonic() - started < _FSYNC_SECONDS:
            os.pwrite(file.fileno(), block, 0)
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.monotonic() - started)


def facts(folder: Path, servers: Mapping[str, str]) -> dict[str, str]:
    """What a reader must know of the machine; `servers` are versions that only the servers can tell."""
    model = _line(PROC / "cpuinfo", "model name") or platform.processor() or platform.machine()
    memory = int((_line(PROC / "meminfo", "MemTotal") or "0 kB").split()[0]) / 1024**2
    return {
        "processor": f"{model}, {os.cpu_count()} cores",
        "memory": f"{memory:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "disk": f"{fsyncs_a_second(folder):,.0f} fdatasync of 8 kB a second",
        "Python": platform.python_version(),
        **servers,
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
        "commit": commit(),
    }


def commit() -> str:
    """The commit that was measured, and whether files differed from it."""
    told = _git("rev-parse", "--short=12", "HEAD")
    if not told:
        return "unknown"
    return f"{told} with uncommitted changes" if _git("status", "--porcelain", "-uno") else told


def _git(*arguments: str) -> str:
    with suppress(OSError, subprocess.SubprocessError):
        command = ["git", "-C", str(ROOT), *arguments]
        told = subprocess.run(  # noqa: S603 - git, with arguments of ours
            command, capture_output=True, text=True, check=True, timeout=10
        )
        return told.stdout.strip()
    return ""


def _line(file: Path, name: str) -> str | None:
    with suppress(OSError):
        for line in file.read_text("utf-8").splitlines():
            if line.startswith(name):
                return line.partition(":")[2].strip()
    return None
