"""All services on one origin: one ASGI application for a single machine.

The first part of a path names the service; what is left, pages included, is the console's. Paths stay
whole, so that every address is the same as when the services run alone.
"""

import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from deploy.local.names import SERVICES
from deploy.local.services import app_factory
from shared.clients.inprocess import InProcess
from shared.clients.services import Services
from shared.settings import load_settings

Lifespan = AbstractAsyncContextManager[object]

log = logging.getLogger(__name__)


class OneOrigin:
    """`apps` by first path segment, started in this order; `rest` is the one for every other path.

    An app that calls the others (`app.state.services`) reaches them here, without a network.
    """

    def __init__(self, apps: Mapping[str, FastAPI], rest: str) -> None:
        self._apps = dict(apps)
        self._rest = self._apps[rest]
        for app in self._apps.values():
            services: Services | None = getattr(app.state, "services", None)
            if services is not None:
                services.join(InProcess(self))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        first = scope["path"][1:].partition("/")[0]
        await self._apps.get(first, self._rest)(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """Starts all or none, in order; ends in reverse those that started."""
        running: list[Lifespan] = []
        await receive()
        try:
            for app in self._apps.values():
                lifespan = app.router.lifespan_context(app)
                await lifespan.__aenter__()
                running.append(lifespan)
        except Exception as error:
            await _end(running)
            await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if faults := await _end(running):
            text = "; ".join(f"{type(fault).__name__}: {fault}" for fault in faults)
            await send({"type": "lifespan.shutdown.failed", "message": text})
            return
        await send({"type": "lifespan.shutdown.complete"})


async def _end(running: list[Lifespan]) -> list[Exception]:
    """One that fails is not the others' concern: each ends as if it were alone."""
    faults: list[Exception] = []
    while running:
        try:
            await running.pop().__aexit__(None, None, None)
        except Exception as fault:
            log.exception("A service did not end cleanly")
            faults.append(fault)
    return faults


def create_origin() -> OneOrigin:
    settings = load_settings()
    return OneOrigin({name: app_factory(name)(settings) for name in SERVICES}, rest="console")
