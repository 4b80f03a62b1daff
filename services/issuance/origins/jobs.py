from datetime import timedelta

from services.issuance.origins.operations import Origins
from shared.jobs.handlers import Periodic

_EVERY = timedelta(hours=1)


def forget_origins(origins: Origins) -> Periodic:
    return Periodic("issuance.forget_origins", _EVERY, origins.forget)
