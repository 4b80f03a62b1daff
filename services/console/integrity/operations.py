"""The integrity check as clerks and alarms see it: recomputed while they wait, or by a job.

A small platform is recomputed in a blink. One with millions of attempts takes minutes: then a job does it,
every half an hour and whenever somebody looks at an old report; the latest is answered with its `as_of`.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from services.console.integrity.rules import FRESH_FOR, KEPT_FOR, RENEWED_AFTER, Kept, from_json, to_json
from shared.clock import machine_now, machine_seconds
from shared.errors import Busy
from shared.integrity import Report
from shared.integrity.operations import recompute
from shared.jobs.awaited import AwaitedJobs, Progress
from shared.jobs.awaited.store import AwaitedJob
from shared.jobs.kinds import Kind
from shared.kit import Kit

log = structlog.get_logger(__name__)

# Longer than this nobody looks at a page that does not come.
PATIENCE = timedelta(seconds=15)
_AGAIN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class IntegrityDesk:
    kit: Kit
    awaited: AwaitedJobs
    patience: timedelta = PATIENCE

    async def report(self) -> Report:
        """As of now; where that takes too long, the latest that was recomputed.

        Raises Busy when there is none yet: a job makes it.
        """
        kept = await self.kept()
        if kept is not None and kept.seconds > self.patience.total_seconds():
            if not kept.is_fresh(machine_now(), within=FRESH_FOR):
                await self._ask()
            return kept.report
        try:
            async with asyncio.timeout(self.patience.total_seconds()):
                return await recompute(self.kit)
        except TimeoutError:
            await self._ask()
            raise Busy(retry_after_seconds=_AGAIN_SECONDS) from None

    async def shown(self) -> Report:
        """The latest that a job made while it still tells of now, which costs nothing; else as `report`."""
        kept = await self.kept()
        if kept is not None and self._is_within(KEPT_FOR, kept):
            return kept.report
        return await self.report()

    async def recompute(self, _job: AwaitedJob, _progress: Progress) -> dict[str, Any]:
        """The job: every check, then the report."""
        started = machine_seconds()
        report = await recompute(self.kit)
        if not report.ok:
            broken = [check.name for check in report.checks if not check.ok]
            log.error("Integrity is broken", checks=broken)
        return to_json(Kept(report, machine_now(), machine_seconds() - started))

    async def keep_fresh(self) -> None:
        """Asks for a report when the latest is old; by periodic work."""
        kept = await self.kept()
        if kept is None or not self._is_within(RENEWED_AFTER, kept):
            await self._ask()

    def _is_within(self, age: timedelta, kept: Kept) -> bool:
        """By the machine's clock, and by the platform's: a demonstration moves its own."""
        return self.kit.clock.now() - kept.report.as_of < age and kept.is_fresh(machine_now(), within=age)

    async def _ask(self) -> None:
        async with self.kit.database.transaction() as tx:
            await self.awaited.request_once(tx, Kind.INTEGRITY_WANTED)

    async def kept(self) -> Kept | None:
        """The latest report that a job made."""
        job = await self.awaited.latest(Kind.INTEGRITY_WANTED)
        return None if job is None or job.result is None else from_json(job.result)
