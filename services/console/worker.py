"""The console's jobs: housekeeping and the integrity check."""

from arq.worker import Worker

from services.console.integrity import jobs as integrity
from services.console.staff.jobs import periodics
from services.console.wiring import SERVICE, Wiring, build
from shared.clock import Clock
from shared.jobs.worker import WorkerParts, build_worker
from shared.kit import build_kit
from shared.settings import Settings


def parts(wiring: Wiring) -> WorkerParts:
    return WorkerParts(
        queue=SERVICE,
        jobs=[integrity.recompute_integrity(wiring.integrity)],
        periodics=[*periodics(wiring.kit), integrity.keep_fresh(wiring.integrity)],
    )


def create_worker(settings: Settings, *, clock: Clock | None = None) -> Worker:
    """Raises SettingsMissing."""
    wiring = build(build_kit(settings, clock=clock))
    return build_worker(wiring.kit, parts(wiring))
