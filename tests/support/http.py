"""Clients of apps in this process, over the real ASGI interface."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send


class OneOrigin:
    """Several services behind one address, told apart by the first segment of the path."""

    def __init__(self, apps: Mapping[str, ASGIApp], *, rest: ASGIApp) -> None:
        self._apps = apps
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        segment = scope["path"].split("/", 2)[1]
        await self._apps.get(segment, self._rest)(scope, receive, send)


@asynccontextmanager
async def serving(**apps: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Runs the lifespans of these services (by name) and yields a client of their common origin."""
    async with AsyncExitStack() as stack:
        for app in apps.values():
            await stack.enter_async_context(app.router.lifespan_context(app))
        transport = httpx.ASGITransport(app=OneOrigin(apps, rest=next(iter(apps.values()))))
        client = httpx.AsyncClient(transport=transport, base_url="http://hv.test")
        yield await stack.enter_async_context(client)
