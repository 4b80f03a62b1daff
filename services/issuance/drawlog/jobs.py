from datetime import timedelta

from services.issuance.drawlog.operations import DrawLogs
from shared.jobs.handlers import Periodic

_EVERY = timedelta(seconds=5)


def publish_draws(logs: DrawLogs) -> Periodic:
    """Seals the hours of draw logs, and makes the seeds of closed phases public."""
    return Periodic("issuance.publish_draws", _EVERY, logs.publish)
