from datetime import timedelta

from services.quota.signals.operations import Signals
from shared.jobs.handlers import Periodic

_EVERY = timedelta(seconds=30)


def periodics(signals: Signals) -> list[Periodic]:
    async def scan() -> None:
        await signals.scan()

    return [Periodic("quota.card_signals", _EVERY, scan)]
