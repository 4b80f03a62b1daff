from services.redemption.settlement.operations import Settlements
from shared.jobs.handlers import Job
from shared.jobs.kinds import Kind


def jobs(settlements: Settlements) -> list[Job]:
    return [settlements.awaited.job(Kind.SETTLEMENT_REQUESTED, settlements.make)]
