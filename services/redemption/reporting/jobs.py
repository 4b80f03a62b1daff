"""Counting jobs: what the write-off announced, counted exactly once."""

from collections.abc import Sequence

from services.redemption.reporting.operations import Reporting
from shared.db import Tx
from shared.jobs.handlers import Job
from shared.jobs.kinds import Kind
from shared.outbox import OutboxItem


def jobs(reporting: Reporting) -> list[Job]:
    async def count_redemptions(tx: Tx, items: Sequence[OutboxItem]) -> None:
        await reporting.count(tx, items, sign=1)

    async def count_reversals(tx: Tx, items: Sequence[OutboxItem]) -> None:
        await reporting.count(tx, items, sign=-1)

    return [
        Job(Kind.REDEMPTION_COUNTED, effect=count_redemptions),
        Job(Kind.REVERSAL_COUNTED, effect=count_reversals),
    ]
