"""The redemption service's jobs: what the outbox asks for, and what is due every so often."""

from arq.worker import Worker

from services.redemption.manual import jobs as manual
from services.redemption.reporting import jobs as reporting
from services.redemption.serviceresults import jobs as serviceresults
from services.redemption.settlement import jobs as settlement
from services.redemption.signals import jobs as signals
from services.redemption.terminals import jobs as terminals
from services.redemption.wiring import SERVICE, Wiring, build
from shared.clock import Clock
from shared.jobs.worker import WorkerParts, build_worker
from shared.kit import build_kit
from shared.metrics.jobs import fold_tallies
from shared.settings import Settings


def parts(wiring: Wiring) -> WorkerParts:
    return WorkerParts(
        queue=SERVICE,
        jobs=[
            *reporting.jobs(wiring.reporting),
            *settlement.jobs(wiring.settlements),
            *serviceresults.jobs(wiring.service_results),
            *signals.jobs(wiring.signals),
        ],
        periodics=[
            fold_tallies(wiring.kit.database),
            *terminals.periodics(wiring.kit),
            *signals.periodics(wiring.signals),
            *serviceresults.periodics(wiring.service_results),
            *manual.periodics(wiring.manual),
        ],
    )


def create_worker(settings: Settings, *, clock: Clock | None = None) -> Worker:
    """Raises SettingsMissing."""
    wiring = build(build_kit(settings, clock=clock))
    return build_worker(wiring.kit, parts(wiring))
