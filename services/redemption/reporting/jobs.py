"""Counting jobs: what the write-off announced, counted exactly once; and the folding of tallies."""

from collections.abc import Sequence
from datetime import timedelta

from services.redemption.reporting.operations import Reporting
from shared.db import Tx
from shared.jobs.handlers import Job, Periodic
from shared.jobs.kinds import Kind
from shared.kit import Kit
from shared.metrics import store as metrics
from shared.outbox import OutboxItem

# Readers add up tally and deltas; folding keeps the deltas few.
_FOLD_EVERY = timedelta(seconds=2)
_FOLD_LIMIT = 5000


def jobs(reporting: Reporting) -> list[Job]:
    async def count_redemptions(tx: Tx, items: Sequence[OutboxItem]) -> None:
        await reporting.count(tx, items, sign=1)

    async def count_reversals(tx: Tx, items: Sequence[OutboxItem]) -> None:
        await reporting.count(tx, items, sign=-1)

    return [
        Job(Kind.REDEMPTION_COUNTED, effect=count_redemptions),
        Job(Kind.REVERSAL_COUNTED, effect=count_reversals),
    ]


def periodics(kit: Kit) -> list[Periodic]:
    async def fold() -> None:
        while True:
            async with kit.database.transaction() as tx:
                if await metrics.fold(tx, _FOLD_LIMIT) < _FOLD_LIMIT:
                    return

    return [Periodic("redemption.fold_tallies", _FOLD_EVERY, fold)]
