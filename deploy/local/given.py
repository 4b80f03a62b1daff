"""Servers that somebody else runs: asked once before anything is started on top of them."""

import asyncpg
import redis.asyncio
import redis.exceptions

from deploy.local.binaries import OLDEST_POSTGRES
from deploy.local.errors import LaunchError

CONNECT_SECONDS = 10.0


async def check_database(url: str) -> None:
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise LaunchError(f"the database of HV_DATABASE_URL does not answer: {_short(error)}") from None
    try:
        version = connection.get_server_version().major
    finally:
        await connection.close()
    if version < OLDEST_POSTGRES:
        raise LaunchError(
            f"HV_DATABASE_URL is Postgres {version}: version {OLDEST_POSTGRES} or later is needed"
        )


async def check_redis(url: str) -> None:
    try:
        async with redis.asyncio.Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS) as client:
            await client.ping()
    except (OSError, TimeoutError, ValueError, redis.exceptions.RedisError) as error:
        raise LaunchError(f"the server of HV_REDIS_URL does not answer: {_short(error)}") from None


def _short(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
