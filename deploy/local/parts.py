"""The stack's own Python processes: HTTP workers, the jobs process, the migration."""

import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from deploy.local.gate import Gate
from deploy.local.listeners import stand_back
from deploy.local.process import Command, last_lines

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
# Longer than the grace periods inside (http_worker.DRAIN_SECONDS, 20 s for a running job).
HTTP_STOP_SECONDS = 12.0
JOBS_STOP_SECONDS = 25.0


def python_argv(module: str, *arguments: str) -> list[str]:
    # -P: a folder `services` where the command was typed must not stand in for ours.
    return [sys.executable, "-P", "-m", module, *arguments]


def python_environment(settings: Mapping[str, str]) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    # Few memory arenas: the default of eight per core costs each process tens of megabytes.
    return {"MALLOC_ARENA_MAX": "2", **os.environ, **settings, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True)
class PythonPart:
    """Says that it is ready by making a file; what went wrong stands in its log's last line."""

    name: str
    home: Path
    argv: list[str]
    settings: Mapping[str, str] = field(repr=False)
    stop_seconds: float
    # Handed over as they are: the listening socket, the gate.
    fds: tuple[int, ...] = ()
    on_death: Callable[[], None] | None = None
    start_seconds: float = START_SECONDS

    @property
    def log(self) -> Path:
        return self.home / "logs" / f"{self.name}.log"

    @property
    def ready_file(self) -> Path:
        return ready_file(self.home, self.name)

    async def prepare(self) -> Command:
        return self._command()

    def _command(self) -> Command:
        self.ready_file.unlink(missing_ok=True)
        return Command(
            name=self.name,
            argv=self.argv,
            log=self.log,
            env=python_environment(self.settings),
            pass_fds=self.fds,
            stop_seconds=self.stop_seconds,
            on_death=self.on_death,
        )

    async def ready(self) -> bool:
        return os.path.exists(self.ready_file)  # noqa: ASYNC240, PTH110 – one system call

    def explain(self, start: int) -> str:
        told = last_lines(self.log, start, count=1) or "it says nothing"
        return f"{self.name} did not start: {told} (see {self.log})"


def ready_file(home: Path, name: str) -> Path:
    # Beside the logs: a folder that is ours alone, also as root.
    return home / "logs" / f"{name}.ready"


def http_parts(
    home: Path, listeners: Sequence[socket.socket], gate: Gate, *, factory: str, settings: Mapping[str, str]
) -> list[PythonPart]:
    """One worker for each socket."""
    parts = []
    for number, listener in enumerate(listeners, start=1):
        name = f"http-{number}"
        fds = (listener.fileno(), gate.fileno())
        arguments = (*map(str, fds), str(ready_file(home, name)), factory)
        part = PythonPart(
            name=name,
            home=home,
            argv=python_argv("deploy.local.http_worker", *arguments),
            settings=settings,
            stop_seconds=HTTP_STOP_SECONDS,
            fds=fds,
            on_death=partial(stand_back, listener) if len(set(listeners)) > 1 else None,
        )
        parts.append(part)
    return parts


def jobs_part(home: Path, gate: Gate, *, factory: str, settings: Mapping[str, str]) -> PythonPart:
    return PythonPart(
        name="jobs",
        home=home,
        argv=python_argv("deploy.local.jobs", str(gate.fileno()), str(ready_file(home, "jobs")), factory),
        fds=(gate.fileno(),),
        settings=settings,
        stop_seconds=JOBS_STOP_SECONDS,
    )


def migration(home: Path, *, factory: str, settings: Mapping[str, str]) -> Command:
    """In a process of its own: the launcher stays small, it runs as long as the stack does."""
    return Command(
        name="migrate",
        argv=python_argv("deploy.local.migrate", factory),
        log=home / "logs" / "migrate.log",
        env=python_environment(settings),
    )
