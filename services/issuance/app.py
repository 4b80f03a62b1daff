"""The issuance service over HTTP."""

from fastapi import FastAPI

from services.issuance.accounts import routes as accounts
from services.issuance.activities import routes as activities
from services.issuance.attempts import routes as attempts
from services.issuance.bank import routes as bank
from services.issuance.calibration import routes as calibration
from services.issuance.campaigns import routes as campaigns
from services.issuance.changes import routes as changes
from services.issuance.consents import routes as consents
from services.issuance.deadletters import routes as deadletters
from services.issuance.drawlog import routes as drawlog
from services.issuance.events import routes as events
from services.issuance.exclusions import routes as exclusions
from services.issuance.holds import routes as holds
from services.issuance.lottery import routes as lottery
from services.issuance.monitoring import routes as monitoring
from services.issuance.notices import routes as notices
from services.issuance.openings import routes as openings
from services.issuance.phases import routes as phases
from services.issuance.photos import routes as photos
from services.issuance.planning import routes as planning
from services.issuance.preferences import routes as preferences
from services.issuance.privacy import routes as privacy
from services.issuance.questions import routes as questions
from services.issuance.quiz import routes as quiz
from services.issuance.reporting import routes as reporting
from services.issuance.reports import routes as reports
from services.issuance.rescoring import routes as rescoring
from services.issuance.retention import routes as retention
from services.issuance.reveals import routes as reveals
from services.issuance.reviews import routes as reviews
from services.issuance.stock import routes as stock
from services.issuance.templates import routes as templates
from services.issuance.terms import routes as terms
from services.issuance.today import routes as today
from services.issuance.versions import routes as versions
from services.issuance.vouchers import routes as vouchers
from services.issuance.wallet import routes as wallet
from services.issuance.wiring import SERVICE, build
from shared.clock import Clock
from shared.http.app import build_app
from shared.http.approvals import approvals_router
from shared.http.jobs import awaited_router
from shared.http.metrics import metrics_router
from shared.kit import build_kit
from shared.settings import Settings, load_settings


def create_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """Raises SettingsMissing."""
    kit = build_kit(settings, clock=clock)
    wiring = build(kit)
    return build_app(
        kit,
        service=SERVICE,
        title="Issuance · 发放",
        wiring=wiring,
        routers=[
            # Dashboards poll these, hundreds of them; routes are tried in this order.
            metrics_router(SERVICE, wiring.prometheus),
            reporting.router,
            approvals_router(wiring.approvals),
            awaited_router(wiring.awaited),
            accounts.router,
            consents.router,
            privacy.router,
            reveals.router,
            retention.router,
            campaigns.router,
            openings.router,
            changes.router,
            phases.router,
            terms.router,
            stock.router,
            versions.router,
            questions.router,
            bank.router,
            quiz.router,
            attempts.router,
            today.router,
            lottery.router,
            drawlog.router,
            wallet.router,
            vouchers.router,
            notices.router,
            preferences.router,
            deadletters.router,
            activities.router,
            events.router,
            exclusions.router,
            holds.router,
            photos.router,
            reviews.router,
            reports.router,
            templates.router,
            calibration.router,
            rescoring.router,
            planning.router,
            monitoring.router,
        ],
        lifespans=[
            wiring.accounts.connections,
            wiring.limiter.running,
            wiring.draining,
            wiring.deliveries.connections,
        ],
    )


def __getattr__(name: str) -> FastAPI:
    """`uvicorn services.issuance.app:app` builds the app from the environment; importing does not."""
    if name == "app":
        return create_app(load_settings())
    raise AttributeError(name)
