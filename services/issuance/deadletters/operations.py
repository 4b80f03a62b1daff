"""Notices that failed too often and wait for staff."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.issuance.deadletters.schemas import DeadLetter, Retried
from services.issuance.deliveries import store
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.errors import NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import HotId, parse_hot_id
from shared.jobs.kinds import Kind
from shared.kit import Kit
from shared.outbox.store import DeadRow, dead_page, revive

NOTICE_JOBS = (
    Kind.NOTICE_DUE,
    Kind.VOUCHER_ISSUED,
    Kind.VOUCHER_REDEEMED,
    Kind.VOUCHER_RESTORED,
    Kind.VOUCHER_REVOKED,
    Kind.ACTIVITY_DECIDED,
)


@dataclass(frozen=True, slots=True)
class DeadLetters:
    kit: Kit

    async def page(
        self, *, limit: int, after: tuple[datetime, UUID] | None
    ) -> tuple[list[DeadLetter], tuple[datetime, UUID] | None]:
        """Notices that failed too often, newest first, and the place behind which the next page begins."""
        async with self.kit.database.snapshot() as tx:
            found = await dead_page(tx, NOTICE_JOBS, after=after, limit=limit + 1)
            carried = {row.id: _delivery_of(row) for row in found}
            about = await store.about(tx, [address for address in carried.values() if address is not None])
        views = []
        for row in found[:limit]:
            address = carried[row.id]
            what = None if address is None else about.get(address)
            voucher = None if what is None or what.voucher_id is None else HotId(row.bucket, what.voucher_id)
            views.append(
                DeadLetter(
                    id=str(HotId(row.bucket, row.id)),
                    job=row.kind,
                    notice_kind=None if what is None else what.kind,
                    channel=None if what is None else what.channel,
                    voucher_id=row.payload.get("voucher_id") if voucher is None else str(voucher),
                    attempts=row.attempt,
                    error=row.error,
                    created_at=rfc3339(row.created_at),
                )
            )
        last = found[limit - 1] if len(found) > limit else None
        return views, None if last is None else (last.created_at, last.id)

    async def retry(self, staff: Staff, letter: HotId, key: RequestKey | None) -> Answer:
        """Has a dead letter tried again. Raises NotFound: it is no dead letter (any more)."""
        now = self.kit.clock.now()

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                revived = await revive(tx, NOTICE_JOBS, letter.bucket, letter.uuid)
                if revived is None:
                    raise NotFound
                entry = AuditEntry(
                    staff.actor,
                    "notice.retry",
                    f"outbox:{letter}",
                    before={"state": "dead", "error": revived.error},
                    after={"state": "ready"},
                )
                await record(tx, entry, at=now)
                return Retried(id=str(letter), status="queued").model_dump()

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)


def _delivery_of(row: DeadRow) -> HotId | None:
    address = row.payload.get("delivery_id")
    return None if address is None else parse_hot_id(address)
