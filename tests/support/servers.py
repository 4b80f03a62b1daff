"""One throw-away Postgres and one Valkey for a whole pytest run, shared by all of its workers.

The first worker that asks starts a host process, which owns the servers. Every worker holds a shared lock
on `users.lock` while it needs them, and the host waits for the exclusive one. The kernel gives the locks
of a dead process back, so the servers end with the last worker even when pytest is killed with -9; and
they are tethered to the host, so they end when the host is killed.
"""

import asyncio
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import asyncpg

from deploy.local.errors import LaunchError
from deploy.local.folders import prepare_home
from deploy.local.postgres import Postgres, locate_postgres
from deploy.local.process import log_size, spawn, stop
from deploy.local.readiness import wait_ready
from deploy.local.valkey import Valkey, locate_valkey

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
POLL_SECONDS = 0.02

# Kept, because a Popen that is collected while its process runs warns, and warnings fail the run.
_hosts: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Servers:
    """`postgres_admin_url` is the superuser's on database `postgres`: a scheme, a Unix socket as `?host=`."""

    postgres_admin_url: str
    redis_url: str
    folder: Path

    def database_url(self, name: str) -> str:
        return self.postgres_admin_url.replace("@/postgres?", f"@/{name}?", 1)

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """Makes a database (a copy of the template) and returns its URL. Takes about 40 ms."""
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template1"}" STRATEGY wal_log')
        return self.database_url(name)

    def drop_database(self, name: str) -> None:
        """Also while connections are open: a failed test may have left some."""
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def ensure_template(self, name: str, build: Callable[[str], None]) -> str:
        """A template that is built once per run, by whichever worker comes first; returns its name.

        `build` gets the URL of an empty database. It is renamed when complete, so a build that fails is
        repeated by the next worker instead of being mistaken for a template.
        """
        with _locked(self.folder / f"template-{name}.lock"):
            if not self._exists(name):
                partial = f"{name}_partial"
                self.drop_database(partial)
                build(self.create_database(partial))
                self._execute(
                    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{partial}'"
                )
                self._execute(f'ALTER DATABASE "{partial}" RENAME TO "{name}"')
        return name

    def _exists(self, name: str) -> bool:
        return bool(self._execute(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))

    def _execute(self, statement: str) -> list[asyncpg.Record]:
        """In a thread of its own, so that tests may call it whether or not a loop runs in theirs."""

        async def execute() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.postgres_admin_url)
            try:
                return await connection.fetch(statement)
            finally:
                await connection.close()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, execute()).result()


@contextmanager
def running_servers() -> Iterator[Servers]:
    """The servers of this pytest run: the same in every xdist worker, started by the first that asks."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", secrets.token_hex(8))
    name = hashlib.sha256(f"{os.getuid()}:{run}".encode()).hexdigest()[:12]
    # Directly below the temporary folder: pytest's own are closed to the account that Postgres needs.
    folder = Path(tempfile.gettempdir()) / f"hv-test-{name}"
    deadline = time.monotonic() + START_SECONDS
    while True:
        with _entered(folder) as servers:
            if servers is not None:
                yield servers
                return
        # A host of this run that just gave up for lack of users is removing its folder: begin anew.
        if time.monotonic() > deadline:
            raise TimeoutError(f"the test servers did not start in {START_SECONDS:.0f} s, see {folder}")
        time.sleep(POLL_SECONDS)


@contextmanager
def _entered(folder: Path) -> Iterator[Servers | None]:
    with suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(0o711)
    try:
        users = (folder / "users.lock").open("w")
    except FileNotFoundError:
        yield None
        return
    with users:
        fcntl.flock(users, fcntl.LOCK_SH)
        # While we waited, the folder may have been removed and made anew: then this lock guards nothing.
        yield _servers(folder) if _is_same(users, folder / "users.lock") else None


def _is_same(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _servers(folder: Path) -> Servers | None:
    """Reads the addresses that the host wrote; starts the host when there is none. None: it went away."""
    addresses = folder / "servers.json"
    try:
        with _locked(folder / "start.lock"):
            if not addresses.exists():
                _start_host(folder)
            told = json.loads(addresses.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if "error" in told:
        raise LaunchError(told["error"])
    return Servers(told["postgres"], told["redis"], folder)


def _start_host(folder: Path) -> None:
    with (folder / "host.log").open("ab") as log:
        host = subprocess.Popen(  # noqa: S603 – ourselves
            [sys.executable, "-m", "tests.support.servers", str(folder)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _hosts.append(host)
    deadline = time.monotonic() + START_SECONDS
    while not (folder / "servers.json").exists():
        if host.poll() is not None or time.monotonic() > deadline:
            raise LaunchError(f"the test servers do not start, see {folder / 'host.log'}")
        time.sleep(POLL_SECONDS)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _tell(folder: Path, **told: str) -> None:
    partial = folder / "servers.json.partial"
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(told), encoding="utf-8")
    partial.rename(folder / "servers.json")


async def _start(server: Postgres | Valkey) -> Callable[[], Awaitable[None]]:
    command = await server.prepare()
    start = log_size(server.log)
    process = await spawn(command)
    await wait_ready(process, server.ready, seconds=START_SECONDS, explain=lambda: server.explain(start))
    return lambda: stop(process, command)


async def _host(folder: Path, users: IO[str]) -> None:
    """Runs both servers until no worker holds the shared lock any more, then removes their folder."""
    _remove_abandoned(folder)
    prepare_home(folder)
    postgres = locate_postgres(folder, password=secrets.token_hex(16), durable=False)
    valkey = locate_valkey(folder, password=secrets.token_hex(16), durable=False)
    stops = await asyncio.gather(_start(postgres), _start(valkey))
    _tell(folder, postgres=postgres.url(), redis=valkey.url())
    await asyncio.to_thread(fcntl.flock, users, fcntl.LOCK_EX)
    # Away first: whoever waits for the lock must find that these servers are over.
    (folder / "servers.json").unlink()
    await asyncio.gather(*(end() for end in stops))
    shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(ours: Path) -> None:
    """Folders of earlier runs whose host was killed: nobody holds their lock."""
    for folder in ours.parent.glob("hv-test-*"):
        lock = folder / "users.lock"
        if folder == ours or not lock.exists() or folder.stat().st_uid != os.getuid():
            continue
        with lock.open() as users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(folder, ignore_errors=True)


def main(folder: Path) -> None:
    with (folder / "users.lock").open() as users:
        try:
            asyncio.run(_host(folder, users))
        except LaunchError as error:
            _tell(folder, error=str(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
