from datetime import timedelta

from services.issuance.calibration.operations import Calibration
from shared.jobs.awaited import AwaitedJobs
from shared.jobs.handlers import Job, Periodic
from shared.jobs.kinds import Kind

_EVERY = timedelta(minutes=10)


def calibrate(calibration: Calibration, awaited: AwaitedJobs) -> Job:
    """The statistics of all of a campaign's attempts, for whoever asked."""
    return awaited.job(Kind.STATISTICS_WANTED, calibration.work)


def refresh(calibration: Calibration) -> Periodic:
    async def run() -> None:
        await calibration.refresh()

    return Periodic("issuance.refresh_statistics", _EVERY, run)
