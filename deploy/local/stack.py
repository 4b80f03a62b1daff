"""The whole stack on one machine: databases, migrations, workers. `hv up` and `hv demo` run it."""

import asyncio
import os
import shutil
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.databases import Databases, locate_databases
from deploy.local.errors import first_sentence
from deploy.local.folders import prepare_home, timings_folder
from deploy.local.gate import Gate
from deploy.local.listeners import HOST, listen
from deploy.local.lock import locked
from deploy.local.names import SERVICES
from deploy.local.parts import http_parts, jobs_part, migration
from deploy.local.probes import wait_green
from deploy.local.process import last_lines
from deploy.local.running import forget_settings, keep_settings
from deploy.local.secrets import SETTINGS, load_secrets
from deploy.local.supervisor import Supervisor, say

GREEN_SECONDS = 60.0
WORKERS_MAX = 2


def default_home() -> Path:
    """$HV_DATA_DIR, or the folder that XDG names for a user's data."""
    if given := os.environ.get("HV_DATA_DIR"):
        return Path(given)
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base, "health-vouchers")


def default_workers() -> int:
    """Two use the cores of a small machine well, beside the database; more only cost memory there."""
    return min(WORKERS_MAX, os.cpu_count() or 1)


@dataclass(frozen=True)
class Program:
    """What runs in the processes; tests put small programs of their own here."""

    app: str = "deploy.local.asgi:create_origin"
    jobs: str = "deploy.local.jobs:create_workers"
    upgrade: str = "migrations.runner:upgrade"
    ready: tuple[str, ...] = tuple(f"/{service}/readyz" for service in SERVICES)


@dataclass(frozen=True)
class Options:
    """How to run the stack.

    `settings` (HV_…) go to every process and win over the environment; `secrets` are what missing secrets
    become instead of random ones (the demo's known password).
    """

    home: Path = field(default_factory=default_home)
    port: int = 8000
    workers: int = field(default_factory=default_workers)
    settings: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    program: Program = Program()


class Stack:
    """`async with Stack(options) as stack:` – ready inside, stopped outside. Belongs in the main thread.

    `settings` is the environment of the stack's processes (HV_DATABASE_URL, keys, …), for those who work
    beside it in the same way.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.home = options.home.absolute()
        self.settings: dict[str, str] = {}
        self.port = options.port
        self._supervisor = Supervisor()
        self._exit = AsyncExitStack()
        self._sockets: Path | None = None

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Returns when every service says that it is ready.

        Raises:
            LaunchError: expected trouble, in one sentence; what had started is stopped again.
        """
        try:
            await self._start()
        except ExceptionGroup as group:
            await self.stop()
            raise first_sentence(group) or group from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """HTTP workers first, then jobs, then Redis, then Postgres; twice does no harm."""
        await self._exit.aclose()

    async def _start(self) -> None:
        prepare_home(self.home)
        self._exit.enter_context(locked(self.home))
        self._exit.callback(self._remove_sockets)
        self._exit.push_async_callback(self._supervisor.stop)
        # Closed before the workers stop: nobody is left waiting for an answer that will not come.
        listeners = listen(self.options.port, self.options.workers)
        for listener in listeners:
            self._exit.callback(listener.close)
        self.port = listeners[0].getsockname()[1]
        secrets = load_secrets(self.home, defaults=self.options.secrets)
        databases = locate_databases(self.home, secrets, processes=self.options.workers + 1)
        self._sockets = databases.sockets
        self.settings = {**self._base_settings(secrets), **databases.settings}
        await databases.check_given()
        await self._supervisor.open()
        await self._start_parts(databases, secrets, listeners)
        await wait_green(self.port, self.options.program.ready, seconds=GREEN_SECONDS)
        given = {name: value for name, value in os.environ.items() if name.startswith("HV_")}
        keep_settings(self.home, {**given, **self.settings})
        self._exit.callback(forget_settings, self.home)

    def _remove_sockets(self) -> None:
        """It may lie in a folder of temporary files, and holds a server's settings with its password."""
        if self._sockets:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def _base_settings(self, secrets: Mapping[str, str]) -> dict[str, str]:
        environment = {
            "HV_ENVIRONMENT": os.environ.get("HV_ENVIRONMENT") or "local",
            # Beside the databases: one folder holds all that is to be kept.
            "HV_OBJECTS_DIR": os.environ.get("HV_OBJECTS_DIR") or str(self.home / "objects"),
        }
        return {**environment, **{name: secrets[name] for name in SETTINGS}, **self.options.settings}

    async def _start_parts(
        self, databases: Databases, secrets: Mapping[str, str], listeners: list[socket.socket]
    ) -> None:
        """Starts everything at the same time.

        Loading their code is most of the Python processes' start: they do so while the database is started
        and migrated, then pass the gate.
        """
        gate = Gate()
        self._exit.callback(gate.close)
        program = self.options.program
        # Not a setting: only the processes of this start read it (shared/metrics/http.py).
        settings = {**self.settings, "PROMETHEUS_MULTIPROC_DIR": str(timings_folder(self.home))}
        jobs = jobs_part(self.home, gate, factory=program.jobs, settings=settings)
        workers = http_parts(self.home, listeners, gate, factory=program.app, settings=settings)
        say(f"starting {databases.describe()}, the job workers and {len(workers)} HTTP worker(s)")
        async with asyncio.TaskGroup() as starts:
            # In the order of dependence: they are stopped in the reverse.
            servers = [starts.create_task(self._supervisor.start(part)) for part in databases.parts]
            starts.create_task(self._supervisor.start(jobs, gate=gate))
            starts.create_task(self._supervisor.start(*workers, gate=gate))
            await asyncio.gather(*servers)
            if databases.postgres:
                await databases.postgres.provide(secrets["postgres_password"])
            await self._migrate()
            gate.open()

    async def _migrate(self) -> None:
        say("bringing the database schema up to date")
        command = migration(self.home, factory=self.options.program.upgrade, settings=self.settings)
        await self._supervisor.run(
            command,
            lambda start: f"the migration failed: {last_lines(command.log, start, 1)} (see {command.log})",
        )
