"""Builds a service's FastAPI app: the same edge, errors, health and documents for all four."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from shared.clock.operations import following_clock
from shared.errors import Refusal
from shared.http.client import networks
from shared.http.docs import docs_router
from shared.http.health import health_router
from shared.http.hot import HotRoute
from shared.http.lane import HotLane
from shared.http.middleware import API_CONTENT_SECURITY_POLICY, BodyLimits, Edge
from shared.http.openapi import PROBLEM_RESPONSES, ServiceApp
from shared.http.problems import handle
from shared.identity.citizens import CitizenTokens
from shared.kit import Kit
from shared.logs import configure_logs
from shared.metrics.http import HttpTimings


def build_app(
    kit: Kit,
    *,
    service: str,
    title: str,
    wiring: object,
    routers: Sequence[APIRouter],
    lifespans: Sequence[Callable[[], AbstractAsyncContextManager[None]]] = (),
    readiness: Sequence[Callable[[], Awaitable[None]]] = (),
    csp: str = API_CONTENT_SECURITY_POLICY,
) -> FastAPI:
    """`wiring` is the service's composition root, reachable for routes as `request.app.state.wiring`.

    `lifespans` are entered in order at the start and left in reverse; `readiness` are further checks
    behind /readyz (they raise when not ready).
    """
    configure_logs(kit.settings)
    proxies = networks(kit.settings.trusted_proxies)
    limits = BodyLimits(document=kit.settings.max_body_bytes, upload=kit.settings.max_upload_bytes)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with _running(kit, lifespans):
            yield

    around: dict[str, Any] = {
        "service": service,
        "timings": HttpTimings(),
        "limits": limits,
        "proxies": proxies,
        "csp": csp,
    }
    app = ServiceApp(
        title=title,
        version="1",
        openapi_url=f"/{service}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False},
        responses=PROBLEM_RESPONSES,
        redirect_slashes=False,
        middleware=[Middleware(Edge, **around)],
        exception_handlers={
            Refusal: handle,
            RequestValidationError: handle,
            HTTPException: handle,
        },
    )
    app.state.kit = kit
    app.state.citizen_tokens = CitizenTokens(kit.keys.token)
    app.state.wiring = wiring
    for router in (*routers, health_router(service, kit, readiness), docs_router(service, title)):
        app.include_router(router)
    lane = HotLane(route for router in routers for route in router.routes if isinstance(route, HotRoute))
    app.open_lane(lane, Edge(lane, **around))
    return app


@asynccontextmanager
async def _running(
    kit: Kit, lifespans: Sequence[Callable[[], AbstractAsyncContextManager[None]]]
) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        await kit.database.start()
        stack.push_async_callback(kit.database.stop)
        await stack.enter_async_context(following_clock(kit))
        for lifespan in lifespans:
            await stack.enter_async_context(lifespan())
        yield
