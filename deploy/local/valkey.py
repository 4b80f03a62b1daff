"""The embedded Redis-compatible server (Valkey): queue, rate limits and early refusals live here."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import redis.asyncio
import redis.exceptions

from deploy.local.accounts import Account, private_folder, reach, server_account, write_private
from deploy.local.binaries import RedisBinary, find_redis, redis_for
from deploy.local.folders import socket_folder
from deploy.local.orphans import clear_pid_file
from deploy.local.process import Command, bare_environment, last_lines

# One would do for a stack; the test suite gives one to each of its workers.
DATABASES = 64

# `noeviction`: a job must never be dropped silently to make room for a rate limit counter.
_SETTINGS = """\
# Written by the launcher at every start.
port 0
unixsocket {socket}
unixsocketperm 700
requirepass {password}
dir "{folder}"
pidfile server.pid
databases {databases}
maxmemory 192mb
maxmemory-policy noeviction
appendonly {durable}
appendfsync everysec
save ""
auto-aof-rewrite-min-size 16mb
daemonize no
"""


@dataclass(frozen=True)
class Valkey:
    """One server in `home/redis`, on a Unix socket only."""

    home: Path
    password: str = field(repr=False)
    account: Account | None
    binary: RedisBinary
    sockets: Path
    durable: bool = True

    name = "redis"
    start_seconds = 60.0

    @property
    def data(self) -> Path:
        return self.home / "redis"

    @property
    def log(self) -> Path:
        return self.home / "logs" / "redis.log"

    @property
    def socket(self) -> Path:
        return self.sockets / "redis.sock"

    def url(self, database: int = 0) -> str:
        """The form that redis-py and arq read alike."""
        return f"unix://:{quote(self.password, safe='')}@{quote(str(self.socket))}?db={database}"

    async def prepare(self) -> Command:
        return await asyncio.to_thread(self._command)

    def _command(self) -> Command:
        private_folder(self.data, self.account)
        clear_pid_file(self.data / "server.pid", self.data)
        name, folder = reach(self.account, self.data)
        settings = self.sockets / "redis.conf"
        text = _SETTINGS.format(
            socket=self.socket,
            password=self.password,
            folder=name.replace("\\", r"\\").replace('"', r"\""),
            databases=DATABASES,
            durable="yes" if self.durable else "no",
        )
        write_private(settings, text, self.account)
        return Command(
            name="redis",
            argv=[str(self.binary.path), str(settings)],
            log=self.log,
            env=bare_environment(),
            account=self.account,
            folder=folder,
        )

    async def ready(self) -> bool:
        client = redis.asyncio.Redis.from_url(self.url(), socket_timeout=5)
        try:
            return bool(await client.ping())
        except (OSError, TimeoutError, redis.exceptions.RedisError):
            return False  # starting, or still reading its data
        finally:
            await client.aclose()

    def explain(self, start: int) -> str:
        told = last_lines(self.log, start, count=12)
        if "No space left" in told:
            return f"the disk of {self.home} is full: free some space or use another --data-dir"
        if "Permission denied" in told:
            return f"Redis may not use its files in {self.data} (see {self.log}): restore their owner"
        return f"Redis did not start: {told.split(' | ')[-1]} (see {self.log})"


def locate_valkey(home: Path, *, password: str, durable: bool = True) -> Valkey:
    account = server_account(home)
    return Valkey(
        home=home,
        password=password,
        account=account,
        binary=redis_for(find_redis(), account, home),
        sockets=socket_folder(home, account),
        durable=durable,
    )
