"""System health on one page: services, workers, queue, database, disk and clocks, and what to do."""

import asyncio

from fastapi import Response

from services.console.healthpages import rules
from services.console.healthpages.operations import Insides, SystemHealth
from services.console.healthpages.rules import NAMES, Finding, Readiness
from services.console.jobpages.operations import Queues, QueueWatch
from services.console.jobpages.rules import PERIODICS
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


def _findings(services: list[Readiness], insides: Insides, queues: Queues) -> list[Finding]:
    return [
        *map(rules.of_service, services),
        *map(rules.of_worker, queues.lines),
        rules.of_queue(queues.lines),
        rules.of_letters(sum(queues.dead.values())),
        rules.of_schema(insides.revision, insides.needed_revision),
        rules.of_redis(insides.redis_version),
        rules.of_integrity(insides.integrity),
        rules.of_disk(insides.disk),
        rules.of_clocks(insides.clocks),
    ]


@router.get("")
async def health(visitor: BureauReader) -> Response:
    wiring = visitor.request.app.state.wiring
    system: SystemHealth = wiring.system_health
    watch: QueueWatch = wiring.queue_watch
    services = await asyncio.gather(*(_readiness(visitor, service) for service in NAMES))
    insides, queues = await asyncio.gather(system.look(), watch.look())
    findings = _findings(list(services), insides, queues)
    return visitor.page(
        "healthpages/health.html",
        here="health",
        findings=findings,
        worst=rules.worst(findings),
        insides=insides,
        failing=queues.failing,
        periodics=PERIODICS,
        shown=shown_time,
    )
