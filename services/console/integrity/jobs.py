from datetime import timedelta

from services.console.integrity.operations import IntegrityDesk
from shared.jobs.handlers import Job, Periodic
from shared.jobs.kinds import Kind

_EVERY = timedelta(seconds=10)


def recompute_integrity(desk: IntegrityDesk) -> Job:
    return desk.awaited.job(Kind.INTEGRITY_WANTED, desk.recompute)


def keep_fresh(desk: IntegrityDesk) -> Periodic:
    return Periodic("console.keep_integrity_fresh", _EVERY, desk.keep_fresh)
