"""The one place where issuance's parts are put together; used by app, worker, command line and tests."""

from dataclasses import dataclass

from services.issuance.campaigns.operations import Campaigns
from services.issuance.changes.operations import Changes
from shared.approvals import Approvals
from shared.kit import Kit

SERVICE = "issuance"


@dataclass(frozen=True, slots=True)
class Wiring:
    kit: Kit
    approvals: Approvals
    campaigns: Campaigns
    changes: Changes


def build(kit: Kit) -> Wiring:
    campaigns, changes = Campaigns(kit, SERVICE), Changes(kit, SERVICE)
    appliers = {**campaigns.appliers, **changes.appliers}
    return Wiring(
        kit=kit,
        approvals=Approvals(SERVICE, kit.database, kit.clock, appliers),
        campaigns=campaigns,
        changes=changes,
    )
