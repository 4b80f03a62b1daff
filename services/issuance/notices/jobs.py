from datetime import timedelta

from services.issuance.notices.operations import VOUCHER_KINDS, Notices
from shared.jobs.handlers import Job, Periodic
from shared.jobs.kinds import Kind

# A reminder is days ahead, but an award just won should be told of at once.
_EVERY = timedelta(seconds=10)


def jobs(notices: Notices) -> list[Job]:
    """Records what people are to be told."""
    return [
        *[Job(kind, effect=notices.record) for kind in VOUCHER_KINDS],
        Job(Kind.ACTIVITY_DECIDED, effect=notices.record_decisions),
    ]


def remind(notices: Notices) -> Periodic:
    async def run() -> None:
        await notices.remind()

    return Periodic("issuance.remind", _EVERY, run)
