from services.issuance.notices.operations import KINDS, Notices
from shared.jobs.handlers import Job


def jobs(notices: Notices) -> list[Job]:
    """Records what a voucher's holder is to be told."""
    return [Job(kind, effect=notices.record) for kind in KINDS]
