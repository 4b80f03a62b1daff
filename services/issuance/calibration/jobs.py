from services.issuance.calibration.operations import Calibration
from shared.jobs.awaited import AwaitedJobs
from shared.jobs.handlers import Job
from shared.jobs.kinds import Kind


def calibrate(calibration: Calibration, awaited: AwaitedJobs) -> Job:
    """The statistics of all of a campaign's attempts, for whoever asked."""
    return awaited.job(Kind.STATISTICS_WANTED, calibration.work)
