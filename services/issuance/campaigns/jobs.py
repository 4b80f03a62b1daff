from datetime import timedelta

from services.issuance.campaigns.operations import Campaigns
from shared.jobs.handlers import Periodic

_EVERY = timedelta(seconds=5)


def reveal_seeds(campaigns: Campaigns) -> Periodic:
    """Makes the seeds of closed phases public, so that anybody can check their draws."""
    return Periodic("issuance.reveal_seeds", _EVERY, campaigns.reveal_seeds)
