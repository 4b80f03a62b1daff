"""The one place where quota's parts are put together; used by app, worker, command line and tests."""

from dataclasses import dataclass

from services.quota.allocation.operations import Allocations
from services.quota.attribution.operations import Attribution
from services.quota.bases.operations import AllocationBases
from services.quota.bulletins.operations import Bulletins
from services.quota.cards.operations import CardEvents
from services.quota.editions.operations import RankingEditions
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
from services.quota.subcodes.operations import SubCodes
from services.quota.templates.operations import Templates
from services.quota.versions.operations import AllocationVersionsRead
from services.quota.workdays.operations import Workdays
from shared.approvals import Approvals
from shared.kit import Kit
from shared.objects import objects_of
from shared.ratelimit import RateLimiter, build_limiter

SERVICE = "quota"


@dataclass(frozen=True, slots=True)
class Wiring:
    kit: Kit
    approvals: Approvals
    limiter: RateLimiter
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
    card_events: CardEvents
    attribution: Attribution
    progress: Progress
    monitoring: Monitoring
    workdays: Workdays
    levels: Levels
    rankings: Rankings
    editions: RankingEditions
    templates: Templates
    bulletins: Bulletins


def build(kit: Kit) -> Wiring:
    allocations = Allocations(kit, SERVICE)
    attribution = Attribution(kit, SERVICE)
    hospital_life = HospitalLife(kit, SERVICE)
    rankings = Rankings(kit)
    editions = RankingEditions(kit, SERVICE)
    appliers = {
        **allocations.appliers,
        **attribution.appliers,
        **editions.appliers,
        **hospital_life.appliers,
    }
    templates = Templates(kit, objects_of(kit.settings))
    return Wiring(
        kit=kit,
        approvals=Approvals(SERVICE, kit.database, kit.clock, appliers),
        limiter=build_limiter(kit.settings),
        programmes=Programmes(kit),
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
        card_events=CardEvents(kit),
        attribution=attribution,
        progress=Progress(kit),
        monitoring=Monitoring(kit),
        workdays=Workdays(kit),
        levels=Levels(kit),
        rankings=rankings,
        editions=editions,
        templates=templates,
        bulletins=Bulletins(kit, rankings, templates),
    )
