"""What people are told: recorded once for each cause, found in their own inbox, carried by deliveries."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.issuance.deliveries.operations import Deliveries
from services.issuance.notices import store
from services.issuance.notices.rules import Language, Reminder, reminders, told
from services.issuance.notices.schemas import UNREAD_MAX, NoticeView
from services.issuance.notices.store import Cause, Entry, Told
from services.issuance.wallet.operations import Wallet
from shared.clock import rfc3339
from shared.db import Tx
from shared.errors import NotFound, Unauthenticated
from shared.identity.citizens import Citizen
from shared.identity.store import hold_account
from shared.ids import HotId, parse_hot_id
from shared.jobs.kinds import Kind
from shared.jobs.store import Place
from shared.jobs.walks import Stride, walk
from shared.kit import Kit
from shared.outbox import OutboxItem

VOUCHER_KINDS = {
    Kind.VOUCHER_ISSUED: "issued",
    Kind.VOUCHER_REDEEMED: "redeemed",
    Kind.VOUCHER_RESTORED: "restored",
    Kind.VOUCHER_REVOKED: "revoked",
}
TELL_AT_ONCE = 500

# Tells of a batch: behind a place, up to a moment, at this moment.
_Teller = Callable[[Tx, Place, datetime, datetime], Awaitable[Told]]


@dataclass(frozen=True, slots=True)
class Notices:
    kit: Kit
    deliveries: Deliveries
    wallet: Wallet

    async def record(self, tx: Tx, items: Sequence[OutboxItem]) -> None:
        """The effect of the voucher jobs, in the transaction that ends their rows. Safe to run twice."""
        causes = [_cause(item.id, item.payload, VOUCHER_KINDS[Kind(item.kind)]) for item in items]
        added = await store.record_vouchers(tx, causes, self.kit.clock.now())
        await self.deliveries.plan(tx, added)
        restored = [cause.subject for cause in causes if cause.kind == "restored"]
        if restored:
            await self.wallet.expire_restored(tx, restored)

    async def record_decisions(self, tx: Tx, items: Sequence[OutboxItem]) -> None:
        """The same for activities that were reviewed."""
        causes = [Cause(item.id, parse_hot_id(item.payload["activity_id"])) for item in items]
        added = await store.record_decisions(tx, causes, self.kit.clock.now())
        await self.deliveries.plan(tx, added)

    async def inbox(
        self,
        citizen: Citizen,
        language: Language,
        *,
        before: tuple[datetime, UUID] | None,
        limit: int,
    ) -> tuple[list[NoticeView], tuple[datetime, UUID] | None, int]:
        """A page of what the person was told, newest first, where the next begins, how many are unread."""
        owner = HotId(citizen.bucket, citizen.person_id)
        async with self.kit.database.snapshot() as tx:
            found = await store.inbox(tx, owner, before=before, limit=limit + 1)
            read = await store.mark(tx, owner)
            unread = await store.unread(tx, owner, read, most=UNREAD_MAX)
        last = found[limit - 1] if len(found) > limit else None
        views = [_view(entry, language, read) for entry in found[:limit]]
        return views, None if last is None else (last.recorded_at, last.address.uuid), unread

    async def read(self, citizen: Citizen, notice: HotId) -> int:
        """Marks the notice and all before it as read; again, nothing changes. How many are unread then.

        Raises NotFound: it is no notice of the citizen's. Unauthenticated: its person was forgotten.
        """
        owner = HotId(citizen.bucket, citizen.person_id)
        async with self.kit.database.transaction() as tx:
            if await hold_account(tx, citizen.account_id) is None:
                raise Unauthenticated
            place = await store.place_of(tx, owner, notice)
            if place is None:
                raise NotFound
            await store.set_mark(tx, owner, place)
            return await store.unread(tx, owner, await store.mark(tx, owner), most=UNREAD_MAX)

    async def remind(self) -> int:
        """Tells of vouchers and awards that are about to end, and of new awards; returns how many.

        Each once, however often it runs, on any number of workers, and however far the clock jumped.
        """
        count = 0
        for reminder in reminders(self.kit.settings.notice_voucher_days):
            count += await self._remind_vouchers(reminder)
        count += await self._walk("issuance.notice_won", timedelta(), self._tell_won)
        hours = self.kit.settings.notice_award_hours
        if hours:
            count += await self._walk("issuance.notice_awards", timedelta(hours=hours), self._remind_awards)
        return count

    async def _remind_vouchers(self, reminder: Reminder) -> int:
        async def tell(tx: Tx, after: Place, until: datetime, now: datetime) -> Told:
            # What ends sooner is covered by the next reminder, or is over.
            soonest = Place(now + reminder.covered, UUID(int=2**128 - 1))
            later = after if after.at > soonest.at else soonest
            return await store.remind_vouchers(
                tx, later, until, days=reminder.days, lead=reminder.lead, now=now, limit=TELL_AT_ONCE
            )

        return await self._walk(f"issuance.notice_vouchers_{reminder.days}", reminder.lead, tell)

    async def _tell_won(self, tx: Tx, after: Place, until: datetime, now: datetime) -> Told:
        return await store.tell_won(tx, after, until, now=now, limit=TELL_AT_ONCE)

    async def _remind_awards(self, tx: Tx, after: Place, until: datetime, now: datetime) -> Told:
        lead = timedelta(hours=self.kit.settings.notice_award_hours)
        return await store.remind_awards(tx, after, until, lead=lead, now=now, limit=TELL_AT_ONCE)

    async def _walk(self, name: str, lead: timedelta, tell: _Teller) -> int:
        async def step(tx: Tx, after: Place, until: datetime) -> Stride:
            told_now = await tell(tx, after, until, self.kit.clock.now())
            await self.deliveries.plan(tx, told_now.notices)
            return Stride(len(told_now.notices), told_now.reached)

        def until() -> datetime:
            return self.kit.clock.now() + lead

        return await walk(self.kit.database, name, until=until, step=step)


def _cause(row_id: UUID, payload: dict[str, Any], kind: str) -> Cause:
    change = payload.get("change_id")
    return Cause(
        id=row_id,
        subject=parse_hot_id(str(payload["voucher_id"])),
        kind=kind,
        change_id=None if change is None else UUID(change),
    )


def _view(entry: Entry, language: Language, read: Place | None) -> NoticeView:
    words = told(entry.facts, language)

    def address(subject: UUID | None) -> str | None:
        return None if subject is None else str(HotId(entry.address.bucket, subject))

    return NoticeView(
        id=str(entry.address),
        kind=entry.facts.kind,
        title=words["title"],
        text=words["text"],
        at=rfc3339(entry.recorded_at),
        campaign=entry.slug,
        voucher_id=address(entry.voucher_id),
        award_id=address(entry.award_id),
        activity_id=address(entry.activity_id),
        read=read is not None and (entry.recorded_at, entry.address.uuid) <= (read.at, read.id),
    )
