"""The quota service over HTTP."""

from fastapi import FastAPI

from services.quota.allocation import routes as allocation
from services.quota.appeals import routes as appeals
from services.quota.attribution import routes as attribution
from services.quota.bases import routes as bases
from services.quota.bulletins import routes as bulletins
from services.quota.cards import routes as cards
from services.quota.editions import routes as editions
from services.quota.funnel import routes as funnel
from services.quota.hospitallife import routes as hospitallife
from services.quota.hospitallists import routes as hospitallists
from services.quota.hospitalnames import routes as hospitalnames
from services.quota.hospitals import routes as hospitals
from services.quota.levels import routes as levels
from services.quota.monitoring import routes as monitoring
from services.quota.platformkeys import routes as platformkeys
from services.quota.posters import routes as posters
from services.quota.programmes import routes as programmes
from services.quota.progress import routes as progress
from services.quota.qrcodes import routes as qrcodes
from services.quota.rankings import routes as rankings
from services.quota.scans import routes as scans
from services.quota.stuffing import routes as stuffing
from services.quota.subcodes import routes as subcodes
from services.quota.tablechecks import routes as tablechecks
from services.quota.templates import routes as templates
from services.quota.versions import routes as versions
from services.quota.wiring import SERVICE, build
from services.quota.workdays import routes as workdays
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
        title="Quota · 发卡任务",
        wiring=wiring,
        routers=[
            # Dashboards poll these, hundreds of them; routes are tried in this order.
            metrics_router(SERVICE, wiring.monitoring.families),
            monitoring.router,
            approvals_router(wiring.approvals),
            awaited_router(wiring.awaited),
            programmes.router,
            hospitals.router,
            hospitallists.router,
            hospitalnames.router,
            hospitallife.router,
            bases.router,
            allocation.router,
            versions.router,
            qrcodes.router,
            posters.router,
            subcodes.router,
            platformkeys.router,
            scans.router,
            cards.router,
            attribution.router,
            appeals.router,
            stuffing.router,
            funnel.router,
            progress.router,
            workdays.router,
            levels.router,
            rankings.router,
            editions.router,
            templates.router,
            bulletins.router,
            tablechecks.router,
        ],
        lifespans=[wiring.limiter.running, wiring.draining],
    )


def __getattr__(name: str) -> FastAPI:
    """`uvicorn services.quota.app:app` builds the app from the environment; importing does not."""
    if name == "app":
        return create_app(load_settings())
    raise AttributeError(name)
