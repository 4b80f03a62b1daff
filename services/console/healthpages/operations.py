"""Database, queue, disk and clocks, as this process sees them."""

import asyncio
import shutil
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.console.healthpages import store
from services.console.healthpages.rules import Clocks, Disk, LastIntegrity
from services.console.integrity.operations import IntegrityDesk
from shared.clock import machine_now
from shared.db.schema import head_revision
from shared.db.store import schema_revision
from shared.http.health import REDIS_TIMEOUT_SECONDS
from shared.kit import Kit


@dataclass(frozen=True, slots=True)
class Insides:
    """`redis_version` is None when it does not answer, `disk` when files are kept elsewhere."""

    revision: str | None
    needed_revision: str
    database_version: str
    database_bytes: int
    redis_version: str | None
    clocks: Clocks
    disk: Disk | None
    integrity: LastIntegrity | None


@dataclass(frozen=True, slots=True)
class SystemHealth:
    kit: Kit
    desk: IntegrityDesk

    async def look(self) -> Insides:
        async with self.kit.database.snapshot() as tx:
            revision = await schema_revision(tx)
            size, version = await store.size_bytes(tx), await store.version(tx)
            database = await store.clock(tx)
        machine = machine_now()
        return Insides(
            revision=revision,
            needed_revision=head_revision(),
            database_version=version,
            database_bytes=size,
            redis_version=await self._redis(),
            clocks=Clocks(machine, database, self.kit.clock.now()),
            disk=await self._disk(),
            integrity=await self._integrity(),
        )

    async def _integrity(self) -> LastIntegrity | None:
        kept = await self.desk.kept()
        if kept is None:
            return None
        return LastIntegrity(kept.report.ok, max(0, int((machine_now() - kept.finished_at).total_seconds())))

    async def _disk(self) -> Disk | None:
        folder = self.kit.settings.objects_dir
        if folder is None or not folder.is_dir():
            return None
        usage = await asyncio.to_thread(shutil.disk_usage, folder)
        return Disk(usage.free, usage.total)

    async def _redis(self) -> str | None:
        async with Redis.from_url(
            self.kit.settings.redis_url,
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        ) as redis:
            try:
                found = await redis.info("server")
            except (RedisError, OSError, TimeoutError):
                return None
        return str(found.get("redis_version", "?"))
