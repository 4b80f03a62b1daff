"""Alive and ready. Alive never touches the database; ready checks what a request needs."""

from collections.abc import Awaitable, Callable, Sequence

import structlog
from fastapi import APIRouter
from pydantic import BaseModel
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.db import TROUBLE, Database
from shared.db.schema import head_revision
from shared.db.store import schema_revision
from shared.errors import Refusal
from shared.kit import Kit

log = structlog.get_logger(__name__)

REDIS_TIMEOUT_SECONDS = 1.0


class NotReady(Refusal):
    code = "not_ready"
    status = 503
    zh = "服务尚未就绪。"
    en = "The service is not ready."


class Health(BaseModel):
    status: str


async def _check_database(database: Database) -> None:
    try:
        async with database.snapshot() as tx:
            revision = await schema_revision(tx)
    except TROUBLE as error:
        raise NotReady("database") from error
    if revision != head_revision():
        raise NotReady(f"schema is at {revision}, this version needs {head_revision()}: run `hv migrate`")


async def _check_queue(redis: Redis) -> None:
    try:
        await redis.ping()
    except (RedisError, OSError, TimeoutError) as error:
        raise NotReady("queue") from error


def health_router(service: str, kit: Kit, readiness: Sequence[Callable[[], Awaitable[None]]]) -> APIRouter:
    router = APIRouter(prefix=f"/{service}", tags=["health"])

    @router.get("/healthz", operation_id=f"{service}_healthz")
    async def healthz() -> Health:
        """The process is alive."""
        return Health(status="alive")

    @router.get("/readyz", operation_id=f"{service}_readyz")
    async def readyz() -> Health:
        """Database, schema version and queue answer."""
        await _check_database(kit.database)
        async with Redis.from_url(
            kit.settings.redis_url,
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        ) as redis:
            await _check_queue(redis)
        for check in readiness:
            await check()
        return Health(status="ready")

    return router
