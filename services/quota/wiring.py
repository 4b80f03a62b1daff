"""The one place where quota's parts are put together; used by app, worker, command line and tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.quota.allocation.operations import Allocations
from services.quota.appeals.operations import Appeals
from services.quota.attribution.operations import Attribution
from services.quota.bases.operations import AllocationBases
from services.quota.bulletins.operations import Bulletins
from services.quota.cards.operations import CardEvents
from services.quota.editions.operations import RankingEditions
from services.quota.funnel.operations import FunnelView
from services.quota.hospitallife.operations import HospitalLife
from services.quota.hospitallists.operations import HospitalLists
from services.quota.hospitalnames.operations import HospitalNaming
from services.quota.hospitals.operations import Hospitals
from services.quota.levels.operations import Levels
from services.quota.monitoring.operations import Monitoring
from services.quota.platformkeys.operations import PlatformKeyring
from services.quota.posters.operations import Posters
from services.quota.programmes.operations import Programmes
from services.quota.progress.operations import Progress
from services.quota.qrcodes.operations import QrCodes
from services.quota.rankings.operations import Rankings
from services.quota.scans.operations import Scans
from services.quota.signals.operations import Signals
from services.quota.stuffing.operations import StuffingCases
from services.quota.subcodes.operations import SubCodes
from services.quota.templates.operations import papers_of_programmes
from services.quota.versions.operations import AllocationVersionsRead
from services.quota.workdays.operations import Workdays
from shared.approvals import Approvals
from shared.jobs.awaited import AwaitedJobs
from shared.jobs.kinds import Queue
from shared.kit import Kit
from shared.objects import objects_of
from shared.paperwork import Papers
from shared.ratelimit import RateLimiter, build_limiter

SERVICE = "quota"


@dataclass(frozen=True, slots=True)
class Wiring:
    kit: Kit
    approvals: Approvals
    limiter: RateLimiter
    awaited: AwaitedJobs
    programmes: Programmes
    hospitals: Hospitals
    hospital_lists: HospitalLists
    hospital_naming: HospitalNaming
    hospital_life: HospitalLife
    bases: AllocationBases
    allocations: Allocations
    versions: AllocationVersionsRead
    qrcodes: QrCodes
    posters: Posters
    sub_codes: SubCodes
    platform_keys: PlatformKeyring
    scans: Scans
    card_events: CardEvents
    attribution: Attribution
    appeals: Appeals
    funnel: FunnelView
    signals: Signals
    stuffing: StuffingCases
    progress: Progress
    monitoring: Monitoring
    workdays: Workdays
    levels: Levels
    rankings: Rankings
    editions: RankingEditions
    templates: Papers
    bulletins: Bulletins

    @asynccontextmanager
    async def draining(self) -> AsyncIterator[None]:
        """A lifespan of the app: at its end everything that was accepted is answered first."""
        yield
        await self.scans.drain()


def build(kit: Kit) -> Wiring:
    programmes = Programmes(kit, SERVICE)
    allocations = Allocations(kit, SERVICE)
    attribution = Attribution(kit, SERVICE)
    stuffing = StuffingCases(kit, SERVICE)
    awaited, objects = AwaitedJobs(kit, Queue.QUOTA), objects_of(kit.settings)
    hospital_life = HospitalLife(kit, SERVICE)
    rankings = Rankings(kit)
    editions = RankingEditions(kit, SERVICE)
    appliers = {
        **programmes.appliers,
        **allocations.appliers,
        **attribution.appliers,
        **stuffing.appliers,
        **editions.appliers,
        **hospital_life.appliers,
    }
    templates = papers_of_programmes(kit, objects)
    return Wiring(
        kit=kit,
        approvals=Approvals(SERVICE, kit.database, kit.clock, appliers),
        limiter=build_limiter(kit.settings),
        awaited=awaited,
        programmes=programmes,
        hospitals=Hospitals(kit),
        hospital_lists=HospitalLists(kit),
        hospital_naming=HospitalNaming(kit),
        hospital_life=hospital_life,
        bases=AllocationBases(kit),
        allocations=allocations,
        versions=AllocationVersionsRead(kit),
        qrcodes=QrCodes(kit),
        posters=Posters(kit),
        sub_codes=SubCodes(kit),
        platform_keys=PlatformKeyring(kit),
        scans=Scans(kit),
        card_events=CardEvents(kit, objects, awaited),
        attribution=attribution,
        appeals=Appeals(kit, attribution),
        funnel=FunnelView(kit),
        signals=Signals(kit),
        stuffing=stuffing,
        progress=Progress(kit),
        monitoring=Monitoring(kit),
        workdays=Workdays(kit),
        levels=Levels(kit),
        rankings=rankings,
        editions=editions,
        templates=templates,
        bulletins=Bulletins(kit, rankings, templates),
    )
