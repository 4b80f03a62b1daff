"""The console over HTTP: staff, audit and integrity, and every page of the origin."""

from fastapi import FastAPI

from services.console.agreementpages import routes as agreementpages
from services.console.audit import routes as audit
from services.console.auditpages import routes as auditpages
from services.console.campaignpages import routes as campaignpages
from services.console.cardpages import routes as cardpages
from services.console.changepages import routes as changepages
from services.console.citizenpages import routes as citizenpages
from services.console.clock import routes as clock_of_the_demo
from services.console.codepages import routes as codepages
from services.console.deadletters import routes as deadletters
from services.console.directorypages import routes as directorypages
from services.console.healthpages import routes as healthpages
from services.console.heldbackpages import routes as heldbackpages
from services.console.hospitalpages import routes as hospitalpages
from services.console.importpages import routes as importpages
from services.console.institutionpages import routes as institutionpages
from services.console.institutionrankpages import routes as institutionrankpages
from services.console.integrity import routes as integrity
from services.console.integritypages import routes as integritypages
from services.console.jobpages import routes as jobpages
from services.console.listpages import routes as listpages
from services.console.overviewpages import routes as overviewpages
from services.console.ownpages import routes as ownpages
from services.console.pages import routes as pages
from services.console.pages.schemas import templates_at_hand
from services.console.plannerpages import routes as plannerpages
from services.console.pospages import routes as pospages
from services.console.programmepages import routes as programmepages
from services.console.publicpages import routes as publicpages
from services.console.questionpages import routes as questionpages
from services.console.quotapages import routes as quotapages
from services.console.rankingpages import routes as rankingpages
from services.console.reconciliationpages import routes as reconciliationpages
from services.console.reviewpages import routes as reviewpages
from services.console.riskpages import routes as riskpages
from services.console.runpages import routes as runpages
from services.console.screenlinks import routes as screenlinks
from services.console.screenpages import routes as screenpages
from services.console.secondfactor import routes as secondfactor
from services.console.sessions import routes as sessions
from services.console.settlementpages import routes as settlementpages
from services.console.staff import routes as staff
from services.console.staffpages import routes as staffpages
from services.console.standings import routes as standings
from services.console.stockpages import routes as stockpages
from services.console.stuffingpages import routes as stuffingpages
from services.console.tablepages import routes as tablepages
from services.console.templatepages import routes as templatepages
from services.console.terminalpages import routes as terminalpages
from services.console.voucherpages import routes as voucherpages
from services.console.wiring import SERVICE, build
from services.console.writeoffpages import routes as writeoffpages
from shared.clock import Clock
from shared.http.app import build_app
from shared.http.jobs import awaited_router
from shared.http.metrics import metrics_router
from shared.kit import build_kit
from shared.settings import Settings, load_settings

# The pages, area by area. Where two share a prefix, the one with the longer paths stands first.
PAGES = (
    pages,
    publicpages,
    citizenpages,
    screenpages,
    pospages,
    overviewpages,
    integritypages,
    importpages,
    changepages,
    campaignpages,
    plannerpages,
    questionpages,
    reviewpages,
    stockpages,
    voucherpages,
    codepages,
    tablepages,
    templatepages,
    hospitalpages,
    auditpages,
    staffpages,
    jobpages,
    healthpages,
    quotapages,
    programmepages,
    cardpages,
    stuffingpages,
    listpages,
    rankingpages,
    ownpages,
    directorypages,
    terminalpages,
    agreementpages,
    institutionpages,
    writeoffpages,
    runpages,
    heldbackpages,
    settlementpages,
    reconciliationpages,
    riskpages,
    institutionrankpages,
)


def create_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """Raises SettingsMissing."""
    kit = build_kit(settings, clock=clock)
    wiring = build(kit)
    app = build_app(
        kit,
        service=SERVICE,
        title="Console · 管理台",
        wiring=wiring,
        routers=[
            metrics_router(SERVICE, wiring.monitoring.families),
            staff.router,
            standings.router,
            sessions.router,
            secondfactor.router,
            audit.router,
            integrity.router,
            awaited_router(wiring.awaited),
            deadletters.router,
            clock_of_the_demo.router,
            screenlinks.router,
            screenpages.figures_router,
            *(area.router for area in PAGES),
        ],
        lifespans=[
            wiring.limiter.running,
            wiring.first_admin.running,
            wiring.services.running,
            templates_at_hand,
        ],
        readiness=[wiring.first_admin.ready],
    )
    # Where the program's assembly finds it, to lead it to the other services.
    app.state.services = wiring.services
    return app


def __getattr__(name: str) -> FastAPI:
    """`uvicorn services.console.app:app` builds the app from the environment; importing does not."""
    if name == "app":
        return create_app(load_settings())
    raise AttributeError(name)
