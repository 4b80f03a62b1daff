"""The issuance service's jobs: what the outbox asks for, and what is due every so often."""

from arq.worker import Worker

from services.issuance.calibration import jobs as calibration
from services.issuance.deliveries import jobs as deliveries
from services.issuance.drawlog import jobs as drawlog
from services.issuance.exclusions import jobs as exclusions
from services.issuance.holds import jobs as holds
from services.issuance.lottery import jobs as lottery
from services.issuance.monitoring import jobs as monitoring
from services.issuance.notices import jobs as notices
from services.issuance.openings import jobs as openings
from services.issuance.origins import jobs as origins
from services.issuance.phones import jobs as phones
from services.issuance.photos import jobs as photos
from services.issuance.questions import jobs as questions
from services.issuance.retention import jobs as retention
from services.issuance.reviews import jobs as reviews
from services.issuance.wallet import jobs as wallet
from services.issuance.wiring import SERVICE, Wiring, build
from shared.clock import Clock
from shared.jobs.worker import WorkerParts, build_worker
from shared.kit import build_kit
from shared.metrics.jobs import fold_tallies
from shared.settings import Settings


def parts(wiring: Wiring) -> WorkerParts:
    return WorkerParts(
        queue=SERVICE,
        jobs=[
            *notices.jobs(wiring.notices),
            deliveries.carry_notices(wiring.deliveries),
            phones.send_codes(wiring.phones),
            reviews.ask_verifier(wiring.reviews, wiring.share_verifier),
            photos.forget_pictures(wiring.photos),
            questions.import_uploaded(wiring.questions),
            exclusions.import_uploaded(wiring.exclusions),
            calibration.calibrate(wiring.calibration, wiring.awaited),
        ],
        periodics=[
            fold_tallies(wiring.kit.database),
            drawlog.publish_draws(wiring.draw_logs),
            lottery.expire_awards(wiring.lottery),
            wallet.expire_vouchers(wiring.wallet),
            notices.remind(wiring.notices),
            deliveries.resume(wiring.deliveries),
            phones.forget_codes(wiring.phones),
            photos.drop_unused(wiring.photos),
            retention.forget_due(wiring.retention),
            questions.forget_uploads(wiring.questions),
            exclusions.forget_uploads(wiring.exclusions),
            holds.forget_sightings(wiring.sightings),
            openings.forget_openings(wiring.openings),
            origins.forget_origins(wiring.origins),
            calibration.refresh(wiring.calibration),
            monitoring.keep_funnels(wiring.monitoring),
        ],
        closings=[wiring.deliveries.messengers.close],
    )


def create_worker(settings: Settings, *, clock: Clock | None = None) -> Worker:
    """Raises SettingsMissing."""
    wiring = build(build_kit(settings, clock=clock))
    return build_worker(wiring.kit, parts(wiring))
