from datetime import timedelta

from services.redemption.signals.operations import Signals
from shared.jobs.handlers import Job, Periodic
from shared.jobs.kinds import Kind

_EVERY = timedelta(seconds=10)


def periodics(signals: Signals) -> list[Periodic]:
    async def scan() -> None:
        await signals.scan()

    return [Periodic("redemption.risk_signals", _EVERY, scan)]


def jobs(signals: Signals) -> list[Job]:
    return [Job(Kind.RISK_DAY_DEFERRED, effect=signals.do_deferred)]
