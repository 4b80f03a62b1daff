"""System health on one page: services, schema, queue, Redis, clocks."""

import asyncio

from fastapi import Response

from services.console.healthpages.operations import SystemHealth
from services.console.healthpages.rules import NAMES, Readiness
from services.console.jobpages.operations import QueueWatch
from services.console.pages.routes import BureauReader, Visitor, page_router
from services.console.pages.schemas import language_for, shown_time
from shared.clients.integrity import Refused
from shared.errors import Busy

router = page_router("/console/health")


async def _readiness(visitor: Visitor, service: str) -> Readiness:
    try:
        await visitor.calls.get(f"/{service}/readyz")
    except Refused as refused:
        return Readiness(service, ready=False, why=refused.detail)
    except Busy as busy:
        return Readiness(service, ready=False, why=busy.detail(language_for(visitor.request)))
    return Readiness(service, ready=True, why="")


@router.get("")
async def health(visitor: BureauReader) -> Response:
    wiring = visitor.request.app.state.wiring
    system: SystemHealth = wiring.system_health
    watch: QueueWatch = wiring.queue_watch
    services = await asyncio.gather(*(_readiness(visitor, service) for service in NAMES))
    return visitor.page(
        "healthpages/health.html",
        here="health",
        services=services,
        names=NAMES,
        insides=await system.look(),
        queues=await watch.look(),
        shown=shown_time,
    )
