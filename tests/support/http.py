"""Clients of apps in this process, over the real ASGI interface."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp
from typing_extensions import override

from deploy.local.asgi import OneOrigin


@asynccontextmanager
async def lifespans(apps: Mapping[str, FastAPI]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for app in apps.values():
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """Serves an app on a free port of this machine, its lifespan included; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on"))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        await server.up.wait()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


@asynccontextmanager
async def serving(**apps: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Runs the lifespans of these services (by name) and yields a client of their common origin."""
    origin = OneOrigin(apps, rest=next(iter(apps)))
    async with (
        lifespans(apps),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=origin), base_url="http://hv.test") as client,
    ):
        yield client
