"""The quota service's jobs: what is due every so often."""

from datetime import timedelta

from arq.worker import Worker

from services.quota.cards import jobs as cards
from services.quota.signals import jobs as signals
from services.quota.wiring import SERVICE, Wiring, build
from shared.clock import Clock
from shared.jobs.handlers import Periodic
from shared.jobs.worker import WorkerParts, build_worker
from shared.kit import build_kit
from shared.metrics.jobs import fold_tallies
from shared.settings import Settings


def parts(wiring: Wiring) -> WorkerParts:
    return WorkerParts(
        queue=SERVICE,
        jobs=[cards.import_uploaded(wiring.card_events)],
        periodics=[
            fold_tallies(wiring.kit.database),
            Periodic("quota.forget_nonces", timedelta(minutes=5), wiring.platform_keys.forget_nonces),
            cards.forget_uploads(wiring.card_events),
            *signals.periodics(wiring.signals),
        ],
    )


def create_worker(settings: Settings, *, clock: Clock | None = None) -> Worker:
    """Raises SettingsMissing."""
    wiring = build(build_kit(settings, clock=clock))
    return build_worker(wiring.kit, parts(wiring))
