"""Clients of apps in this process, over the real ASGI interface."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from fastapi import FastAPI
from typing_extensions import override

from deploy.local.asgi import OneOrigin


class EachAlone(httpx.AsyncBaseTransport):
    """Services that run each by itself; what a gateway in front of them would do is done by the client."""

    def __init__(self, apps: Mapping[str, FastAPI]) -> None:
        self._transports = {name: httpx.ASGITransport(app=app) for name, app in apps.items()}

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        service = request.url.path.split("/", 2)[1]
        return await self._transports[service].handle_async_request(request)


@asynccontextmanager
async def lifespans(apps: Mapping[str, FastAPI]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for app in apps.values():
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield


@asynccontextmanager
async def serving(**apps: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Runs the lifespans of these services (by name) and yields a client of their common origin."""
    origin = OneOrigin(apps, rest=next(iter(apps)))
    async with (
        lifespans(apps),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=origin), base_url="http://hv.test") as client,
    ):
        yield client
