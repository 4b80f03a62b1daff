"""The redemption service over HTTP."""

from fastapi import FastAPI

from services.redemption.activations import routes as activations
from services.redemption.admissions import routes as admissions
from services.redemption.casefiles import routes as casefiles
from services.redemption.contracts import routes as contracts
from services.redemption.corrections import routes as corrections
from services.redemption.disputes import routes as disputes
from services.redemption.heldback import routes as heldback
from services.redemption.holds import routes as holds
from services.redemption.imports import routes as imports
from services.redemption.institutions import routes as institutions
from services.redemption.lockouts import routes as lockouts
from services.redemption.manual import routes as manual
from services.redemption.offline import routes as offline
from services.redemption.operators import routes as operators
from services.redemption.payees import routes as payees
from services.redemption.payments import routes as payments
from services.redemption.rankings import routes as rankings
from services.redemption.reconciliation import routes as reconciliation
from services.redemption.records import routes as records
from services.redemption.reporting import routes as reporting
from services.redemption.reversals import routes as reversals
from services.redemption.risk import routes as risk
from services.redemption.serviceresults import routes as serviceresults
from services.redemption.settlement import routes as settlement
from services.redemption.sightings import routes as sightings
from services.redemption.signals import routes as signals
from services.redemption.statements import routes as statements
from services.redemption.terminals import routes as terminals
from services.redemption.tillviews import routes as tillviews
from services.redemption.wiring import SERVICE, build
from services.redemption.writeoff import routes as writeoff
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
        title="Redemption · 核销",
        wiring=wiring,
        # The tills' first: routes are tried in this order, at every request.
        routers=[
            writeoff.router,
            reversals.router,
            offline.router,
            manual.router,
            serviceresults.router,
            lockouts.router,
            activations.router,
            terminals.router,
            # Dashboards poll these, hundreds of them.
            metrics_router(SERVICE, wiring.reporting.prometheus),
            reporting.router,
            # Before the institutions: their fixed words would be taken for an id.
            imports.router,
            admissions.router,
            institutions.router,
            contracts.router,
            payees.router,
            operators.router,
            tillviews.router,
            sightings.router,
            records.router,
            rankings.router,
            risk.router,
            signals.router,
            casefiles.router,
            statements.router,
            heldback.router,
            settlement.router,
            disputes.router,
            payments.router,
            corrections.router,
            holds.router,
            reconciliation.router,
            approvals_router(wiring.approvals),
            awaited_router(wiring.awaited),
        ],
        lifespans=[wiring.limiter.running, wiring.sightings.running, wiring.draining],
    )


def __getattr__(name: str) -> FastAPI:
    """`uvicorn services.redemption.app:app` builds the app from the environment; importing does not."""
    if name == "app":
        return create_app(load_settings())
    raise AttributeError(name)
