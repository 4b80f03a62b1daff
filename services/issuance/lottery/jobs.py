from datetime import timedelta

from services.issuance.lottery.operations import Lottery
from shared.jobs.handlers import Periodic

# What expires is only given back by this: until then an award that nobody can claim holds up others.
_EVERY = timedelta(seconds=5)


def expire_awards(lottery: Lottery) -> Periodic:
    async def run() -> None:
        await lottery.expire_awards()

    return Periodic("issuance.expire_awards", _EVERY, run)
