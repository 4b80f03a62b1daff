from datetime import timedelta

from shared.db import Database
from shared.jobs.handlers import Periodic
from shared.metrics import store

_EVERY = timedelta(seconds=2)
# Folded in one transaction: some 20 ms, so that nobody waits long for a row of the tally.
_LIMIT = 5000


def fold_tallies(database: Database) -> Periodic:
    """Folds what the operations of all services appended into the running figures.

    Every service's worker offers it under one name, so that each figure is folded while any of them runs,
    and by one at a time. Readers add up tally and deltas: it changes no figure.
    """

    async def fold() -> None:
        while True:
            async with database.transaction() as tx:
                if await store.fold(tx, _LIMIT) < _LIMIT:
                    return

    return Periodic("core.fold_tallies", _EVERY, fold)
