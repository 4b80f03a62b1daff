"""Small programs in the place of the services, to test the launcher by itself.

`python -m tests.support.stub_stack HOME PORT WORKERS` does what `hv up` does, with them.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, cast

import asyncpg
from arq.connections import RedisSettings
from arq.typing import WorkerCoroutine
from arq.worker import Worker, func
from fastapi import FastAPI

from deploy.local.asgi import OneOrigin
from deploy.local.errors import LaunchError
from deploy.local.foreground import run_in_foreground
from deploy.local.jobs import Factory
from deploy.local.stack import Options, Program


async def _upgrade(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS note (text TEXT)")
    finally:
        await connection.close()


def upgrade(database_url: str) -> None:
    asyncio.run(_upgrade(database_url))


def refuse_upgrade(_database_url: str) -> None:
    raise RuntimeError("revision 9999 is unknown")


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


_SELF = "tests.support.stub_stack"
PROGRAM = Program(
    app=f"{_SELF}:create_origin",
    jobs=f"{_SELF}:create_workers",
    upgrade=f"{_SELF}:upgrade",
    ready=("/issuance/readyz", "/console/readyz"),
)


def main(home: str, port: str, workers: str) -> None:
    options = Options(home=Path(home), port=int(port), workers=int(workers), program=PROGRAM)
    try:
        run_in_foreground(options)
    except LaunchError as error:
        sys.exit(f"hv: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
