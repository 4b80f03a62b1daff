from datetime import timedelta

from services.issuance.holds.operations import Sightings
from shared.jobs.handlers import Periodic

_EVERY = timedelta(hours=1)


def forget_sightings(sightings: Sightings) -> Periodic:
    return Periodic("issuance.forget_sightings", _EVERY, sightings.forget)
