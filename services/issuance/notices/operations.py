"""What holders are to be told about their vouchers. Recorded here; telling is an errand of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.issuance.notices import store
from services.issuance.notices.store import Notice
from shared.db import Tx
from shared.ids import parse_hot_id
from shared.jobs.kinds import Kind
from shared.kit import Kit
from shared.outbox import OutboxItem

KINDS = {
    Kind.VOUCHER_ISSUED: "issued",
    Kind.VOUCHER_REDEEMED: "redeemed",
    Kind.VOUCHER_RESTORED: "restored",
}


@dataclass(frozen=True, slots=True)
class Notices:
    kit: Kit

    async def record(self, tx: Tx, items: Sequence[OutboxItem]) -> None:
        """The effect of the voucher jobs, in the transaction that ends their rows. Safe to run twice."""
        notices = []
        for item in items:
            voucher = parse_hot_id(str(item.payload["voucher_id"]))
            notices.append(Notice(voucher.bucket, item.id, voucher.uuid, KINDS[Kind(item.kind)]))
        await store.record(tx, notices, self.kit.clock.now())
