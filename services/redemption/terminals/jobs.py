from datetime import timedelta

from shared.jobs.handlers import Periodic
from shared.kit import Kit
from shared.signing.store import forget_nonces

_FORGET_EVERY = timedelta(minutes=1)


def periodics(kit: Kit) -> list[Periodic]:
    async def forget() -> None:
        async with kit.database.transaction() as tx:
            await forget_nonces(tx, kit.clock.now())

    return [Periodic("redemption.forget_nonces", _FORGET_EVERY, forget)]
