from datetime import timedelta

from services.issuance.reporting.operations import Reporting
from shared.jobs.handlers import Periodic

_EVERY = timedelta(seconds=2)


def fold_tallies(reporting: Reporting) -> Periodic:
    """Folds what the operations appended into the running figures."""
    return Periodic("issuance.fold_tallies", _EVERY, reporting.fold_tallies)
