from datetime import timedelta

from services.issuance.deliveries.operations import ATTEMPT_LEASE, Deliveries
from shared.jobs.handlers import Job, Periodic
from shared.jobs.kinds import Kind

_EVERY = timedelta(seconds=10)


def carry_notices(deliveries: Deliveries) -> Job:
    """Retries for about an hour; after that the notice is a dead letter, which staff see."""
    seconds = int(ATTEMPT_LEASE.total_seconds())
    return Job(Kind.NOTICE_DUE, errand=deliveries.deliver, seconds_max=seconds)


def resume(deliveries: Deliveries) -> Periodic:
    async def run() -> None:
        await deliveries.resume()

    return Periodic("issuance.resume_notices", _EVERY, run)
