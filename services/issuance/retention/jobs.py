from datetime import timedelta

from services.issuance.retention.operations import Retention
from shared.jobs.handlers import Periodic

# Days decide, not minutes; a run that finds nobody costs one look.
_EVERY = timedelta(hours=1)


def forget_due(retention: Retention) -> Periodic:
    async def run() -> None:
        await retention.forget_due()

    return Periodic("issuance.forget_due", _EVERY, run)
