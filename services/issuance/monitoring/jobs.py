from datetime import timedelta

from services.issuance.monitoring.operations import Monitoring
from shared.jobs.handlers import Periodic

_EVERY = timedelta(minutes=1)


def keep_funnels(monitoring: Monitoring) -> Periodic:
    async def run() -> None:
        await monitoring.keep_funnels()

    return Periodic("issuance.keep_funnels", _EVERY, run)
