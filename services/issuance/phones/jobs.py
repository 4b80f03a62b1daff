from datetime import timedelta

from services.issuance.phones.operations import Phones
from shared.jobs.handlers import Job, Periodic
from shared.jobs.kinds import Kind

_EVERY = timedelta(minutes=10)


def send_codes(phones: Phones) -> Job:
    """Retries while the code is good; after that there is nothing to send any more."""
    return Job(Kind.PHONE_CODE_ASKED, errand=phones.send)


def forget_codes(phones: Phones) -> Periodic:
    return Periodic("issuance.forget_phone_codes", _EVERY, phones.forget)
