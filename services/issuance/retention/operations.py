"""The retention clock: personal data is kept no longer than its campaigns need it."""

from dataclasses import dataclass

from services.issuance.retention import store
from services.issuance.retention.rules import bucket_ranges
from services.issuance.retention.schemas import CampaignTerm, RetentionReport
from services.issuance.retention.store import Run, Term
from shared.clock import machine_now, rfc3339
from shared.db import retried
from shared.ids import BUCKETS
from shared.kit import Kit

# One transaction holds the locks of so many persons for about a second; none of them is active any more.
FORGET_AT_ONCE = 500
_NOTE = "活动已结束，个人信息保存期已满，材料已删除。"


@dataclass(frozen=True, slots=True)
class Retention:
    kit: Kit

    async def forget_due(self) -> int:
        """Forgets whoever is due, in batches, and returns how many. Safe to run twice, and by two at once.

        Of those who were erased the keyed hash goes when their campaigns have ended, always. Of all others
        everything personal goes when retention is over, where a definition or the setting has one, and the id
        numbers on the campaign's lists with it.
        """
        forgotten = await self._forget((0, BUCKETS - 1), erased_only=True)
        days = self.kit.settings.retention_days
        async with self.kit.database.snapshot() as tx:
            worth_looking = await store.anything_due(tx, now=self.kit.clock.now(), days=days)
        if worth_looking:
            for buckets in bucket_ranges():
                forgotten += await self._forget(buckets, erased_only=False)
            await self._forget_listed()
        return forgotten

    async def report(self) -> RetentionReport:
        """When each campaign's data is forgotten, and what the next run would do."""
        now, days = self.kit.clock.now(), self.kit.settings.retention_days
        async with self.kit.database.snapshot(slow=True) as tx:
            terms = await store.terms(tx, days)
            due, erased_due = await store.due(tx, now=now, days=days)
            waiting = await store.erased_waiting(tx)
        return RetentionReport(
            as_of=rfc3339(now),
            default_days=days,
            campaigns=[_term(term) for term in terms],
            due=due,
            erased_due=erased_due,
            erased_waiting=waiting - erased_due,
        )

    async def _forget(self, buckets: tuple[int, int], *, erased_only: bool) -> int:
        forgotten = 0
        while True:
            batch = await self._batch(buckets, erased_only=erased_only)
            forgotten += batch
            if not batch:
                return forgotten

    async def _forget_listed(self) -> None:
        now, days = self.kit.clock.now(), self.kit.settings.retention_days
        while True:
            async with self.kit.database.transaction(slow=True) as tx:
                if await store.forget_listed(tx, now=now, days=days, limit=FORGET_AT_ONCE) < FORGET_AT_ONCE:
                    return

    @retried
    async def _batch(self, buckets: tuple[int, int], *, erased_only: bool) -> int:
        run = Run(
            now=self.kit.clock.now(),
            sent_at=machine_now(),
            days=self.kit.settings.retention_days,
            buckets=buckets,
            erased_only=erased_only,
            limit=FORGET_AT_ONCE,
            note=_NOTE,
        )
        async with self.kit.database.transaction(slow=True) as tx:
            return await store.forget_due(tx, run)


def _term(term: Term) -> CampaignTerm:
    return CampaignTerm(
        campaign=term.slug,
        ends_at=rfc3339(term.ends_at),
        retention_days=term.days,
        keep_until=None if term.keep_until is None else rfc3339(term.keep_until),
        persons=term.persons,
        forgotten=term.forgotten,
    )
