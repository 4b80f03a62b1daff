"""All services on one origin: one ASGI application for a single machine.

The first part of a path names the service; what is left, pages included, is the console's. Paths stay
whole, so that every address is the same as when the services run alone.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from deploy.local.names import SERVICES
from deploy.local.services import create_app
from shared.settings import load_settings


class OneOrigin:
    """`apps` by first path segment, started in this order; `rest` is the one for every other path."""

    def __init__(self, apps: Mapping[str, FastAPI], rest: str) -> None:
        self._apps = dict(apps)
        self._rest = self._apps[rest]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        first = scope["path"][1:].partition("/")[0]
        await self._apps.get(first, self._rest)(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """Starts all or none; what has started is shut down in reverse, also when a later one fails."""
        phase = "startup"
        try:
            async with AsyncExitStack() as running:
                await receive()
                for app in self._apps.values():
                    await running.enter_async_context(app.router.lifespan_context(app))
                phase = "shutdown"
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            await send({"type": f"lifespan.{phase}.failed", "message": f"{type(error).__name__}: {error}"})
            raise
        await send({"type": "lifespan.shutdown.complete"})


def create_origin() -> OneOrigin:
    settings = load_settings()
    return OneOrigin({name: create_app(name, settings) for name in SERVICES}, rest="console")
