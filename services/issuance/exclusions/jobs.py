from datetime import timedelta

from services.issuance.exclusions.operations import Exclusions
from shared.jobs.handlers import Job, Periodic
from shared.jobs.kinds import Kind

_EVERY = timedelta(minutes=5)


def import_uploaded(exclusions: Exclusions) -> Job:
    return exclusions.jobs.job(Kind.EXCLUSIONS_UPLOADED, exclusions.import_uploaded)


def forget_uploads(exclusions: Exclusions) -> Periodic:
    return Periodic("issuance.forget_exclusion_uploads", _EVERY, exclusions.forget_uploads)
