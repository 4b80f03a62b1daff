from datetime import timedelta

from services.redemption.manual.operations import ManualWriteOffs
from shared.jobs.handlers import Periodic

_FORGET_EVERY = timedelta(minutes=10)


def periodics(manual: ManualWriteOffs) -> list[Periodic]:
    return [Periodic("redemption.forget_manual_reasons", _FORGET_EVERY, manual.forget_reasons)]
