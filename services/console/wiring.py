"""The one place where the console's parts are put together; used by app, worker, command line and tests."""

from dataclasses import dataclass

from services.console.audit.operations import AuditDesk
from services.console.clock.operations import DemoClock
from services.console.deadletters.operations import Letters
from services.console.healthpages.operations import SystemHealth
from services.console.integrity.operations import IntegrityDesk
from services.console.jobpages.operations import QueueWatch
from services.console.monitoring.operations import Monitoring
from services.console.overviewpages.operations import Overview
from services.console.pages.operations import Forms, Inbox
from services.console.publicpages.operations import PublicPages
from services.console.screenlinks.operations import ScreenLinks
from services.console.screenpages.operations import Screen
from services.console.secondfactor.operations import SecondFactors
from services.console.sessions.operations import Sessions
from services.console.staff.operations import FirstAdmin, StaffAccounts
from services.console.staff.rules import PASSWORD_LENGTH_MIN
from services.console.standings.operations import Standings
from shared.clients.services import Services
from shared.jobs.awaited import AwaitedJobs
from shared.jobs.kinds import Queue
from shared.kit import Kit
from shared.passwords import Passwords
from shared.ratelimit import RateLimiter, build_limiter
from shared.settings import SettingsMissing

SERVICE = "console"


@dataclass(frozen=True, slots=True)
class Wiring:
    kit: Kit
    limiter: RateLimiter
    factors: SecondFactors
    sessions: Sessions
    accounts: StaffAccounts
    standings: Standings
    first_admin: FirstAdmin
    audit: AuditDesk
    awaited: AwaitedJobs
    integrity: IntegrityDesk
    letters: Letters
    clock: DemoClock
    monitoring: Monitoring
    queue_watch: QueueWatch
    system_health: SystemHealth
    forms: Forms
    inbox: Inbox
    overview: Overview
    public: PublicPages
    screen_links: ScreenLinks
    screen: Screen
    services: Services


def build(kit: Kit) -> Wiring:
    """Raises SettingsMissing: the first administrator's password is too short."""
    password = kit.settings.admin_password
    if password and len(password.get_secret_value()) < PASSWORD_LENGTH_MIN and not kit.settings.demo:
        raise SettingsMissing(f"set HV_ADMIN_PASSWORD to at least {PASSWORD_LENGTH_MIN} characters")
    passwords = Passwords()
    factors = SecondFactors(kit)
    awaited = AwaitedJobs(kit, Queue.CONSOLE)
    integrity = IntegrityDesk(kit, awaited)
    screen_links = ScreenLinks(kit)
    return Wiring(
        kit=kit,
        limiter=build_limiter(kit.settings),
        factors=factors,
        sessions=Sessions(kit, passwords, factors),
        accounts=StaffAccounts(kit, passwords),
        standings=Standings(kit),
        first_admin=FirstAdmin(kit, passwords),
        audit=AuditDesk(kit),
        awaited=awaited,
        integrity=integrity,
        letters=Letters(kit),
        clock=DemoClock(kit),
        monitoring=Monitoring(kit, integrity),
        queue_watch=QueueWatch(kit),
        system_health=SystemHealth(kit, integrity),
        forms=Forms(kit),
        inbox=Inbox(kit),
        overview=Overview(kit),
        public=PublicPages(kit),
        screen_links=screen_links,
        screen=Screen(kit, screen_links),
        services=Services(kit.settings.services_url),
    )
