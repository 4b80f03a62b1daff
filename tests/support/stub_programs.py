"""Small programs in the place of the services, to test the launcher by itself."""

import asyncio
import os
from pathlib import Path
from typing import Any, cast

import asyncpg
from arq.connections import RedisSettings
from arq.typing import WorkerCoroutine
from arq.worker import Worker, func
from fastapi import FastAPI

from deploy.local.asgi import OneOrigin
from deploy.local.jobs import Factory
from shared.settings import SettingsMissing


def create_origin() -> OneOrigin:
    return OneOrigin({"issuance": _app("issuance"), "console": _app("console")}, rest="console")


def _app(name: str) -> FastAPI:
    app = FastAPI()

    @app.get(f"/{name}/readyz")
    async def readyz() -> dict[str, str]:
        return {"app": name}

    @app.get(f"/{name}/pid")
    async def pid() -> int:
        return os.getpid()

    @app.get(f"/{name}/slow")
    async def slow(begun: str) -> str:
        await asyncio.to_thread(Path(begun).touch)
        await asyncio.sleep(1)
        return "done"

    return app


async def note(_ctx: dict[Any, Any], text: str) -> None:
    connection = await asyncpg.connect(os.environ["HV_DATABASE_URL"])
    try:
        await connection.execute("INSERT INTO note (text) VALUES ($1)", text)
    finally:
        await connection.close()


def create_nothing() -> OneOrigin:
    raise SettingsMissing("set these environment variables and start again: HV_NOTHING")


def create_workers() -> dict[str, Factory]:
    settings = RedisSettings.from_dsn(os.environ["HV_REDIS_URL"])

    def create() -> Worker:
        return Worker(
            [func(cast("WorkerCoroutine", note), name="note")],
            queue_name="hv:stub",
            redis_settings=settings,
            handle_signals=False,
        )

    return {"stub": create}
