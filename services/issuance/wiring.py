"""The one place where issuance's parts are put together; used by app, worker, command line and tests."""

from dataclasses import dataclass

from services.issuance.campaigns.operations import Campaigns
from shared.approvals import Approvals
from shared.kit import Kit

SERVICE = "issuance"


@dataclass(frozen=True, slots=True)
class Wiring:
    kit: Kit
    approvals: Approvals
    campaigns: Campaigns


def build(kit: Kit) -> Wiring:
    campaigns = Campaigns(kit, SERVICE)
    return Wiring(
        kit=kit,
        approvals=Approvals(SERVICE, kit.database, kit.clock, appliers={**campaigns.appliers}),
        campaigns=campaigns,
    )
