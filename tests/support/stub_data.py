"""The data of a stack of stub programs, reached as its services would reach it."""

from dataclasses import dataclass
from pathlib import Path

import asyncpg
import redis.asyncio
from arq.connections import RedisSettings, create_pool

from deploy.local.secrets import load_secrets


@dataclass(frozen=True)
class StubData:
    home: Path

    @property
    def settings(self) -> dict[str, str]:
        lines = (self.home / "postgres" / "postgresql.conf").read_text().splitlines()
        return dict(line.split(" = ", 1) for line in lines if " = " in line)

    @property
    def sockets(self) -> str:
        return self.settings["unix_socket_directories"].strip("'")

    @property
    def postgres_url(self) -> str:
        password = load_secrets(self.home)["postgres_password"]
        where = f"host={self.sockets}&port={self.settings['port']}"
        return f"postgresql://hv:{password}@/health_vouchers?{where}"

    @property
    def redis_url(self) -> str:
        password = load_secrets(self.home)["redis_password"]
        return f"unix://:{password}@{self.sockets}/redis.sock"

    async def notes(self) -> list[str]:
        connection = await asyncpg.connect(self.postgres_url)
        try:
            return [row["text"] for row in await connection.fetch("SELECT text FROM note ORDER BY text")]
        finally:
            await connection.close()

    async def add_note(self, text: str) -> None:
        connection = await asyncpg.connect(self.postgres_url)
        try:
            await connection.execute("INSERT INTO note (text) VALUES ($1)", text)
        finally:
            await connection.close()

    async def enqueue_note(self, text: str) -> None:
        """As a job: the note appears when the job worker has run it."""
        pool = await create_pool(RedisSettings.from_dsn(self.redis_url))
        try:
            await pool.enqueue_job("note", text, _queue_name="hv:stub")
        finally:
            await pool.aclose(close_connection_pool=True)

    async def keep(self, value: str) -> None:
        async with redis.asyncio.Redis.from_url(self.redis_url) as client:
            await client.set("kept", value)

    async def kept(self) -> str:
        async with redis.asyncio.Redis.from_url(self.redis_url, decode_responses=True) as client:
            return str(await client.get("kept"))

    async def postgres_answers(self) -> bool:
        try:
            await self.notes()
        except (OSError, asyncpg.PostgresError):
            return False
        return True

    async def redis_answers(self) -> bool:
        try:
            await self.kept()
        except (OSError, redis.exceptions.RedisError):
            return False
        return True
