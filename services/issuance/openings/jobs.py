from datetime import timedelta

from services.issuance.openings.operations import Openings
from shared.jobs.handlers import Periodic

_EVERY = timedelta(hours=1)


def forget_openings(openings: Openings) -> Periodic:
    return Periodic("issuance.forget_openings", _EVERY, openings.forget)
