"""Disputes: an institution says what is wrong, the bureau answers; four eyes take back what was wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.redemption.corrections.errors import AlreadyCorrected
from services.redemption.disputes import store
from services.redemption.disputes.errors import NotDisputed, NotInSettlement
from services.redemption.settlement import store as settlements
from services.redemption.settlement.operations import lock_draft
from services.redemption.settlement.rules import Settlement
from shared.approvals import Applier, Change, propose
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.db import Tx
from shared.errors import NoLongerFits, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import HotId, parse_hot_id
from shared.kit import Kit

UPHOLD = "settlement.uphold_dispute"


@dataclass(frozen=True, slots=True)
class Disputes:
    kit: Kit

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {UPHOLD: self._apply}

    async def dispute(self, staff: Staff, settlement_id: UUID, note: str, key: RequestKey | None) -> Answer:
        """The institution says what is wrong; it is not paid until it is confirmed.

        Raises:
            NotFound, Forbidden, AlreadyConfirmed, AlreadyPaid, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            await lock_draft(tx, staff, settlement_id)
            await store.end_open(tx, settlement_id, "restated", by=staff.id, now=now)
            await store.raise_dispute(tx, settlement_id, note=note, by=staff.id, now=now)
            await settlements.dispute(tx, settlement_id, note=note, now=now)
            entry = AuditEntry(
                staff.actor, "settlement.dispute", f"settlement:{settlement_id}", after={"note": note}
            )
            await record(tx, entry, at=now)
            said = {"note": note, "at": rfc3339(now)}
            return {"id": str(settlement_id), "status": "draft", "dispute": said}

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def reject(self, staff: Staff, settlement_id: UUID, reason: str, key: RequestKey | None) -> Answer:
        """The settlement stays as it is; the institution is told why, and may confirm it or dispute it again.

        Raises:
            NotFound, NotDisputed, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            settlement = await _disputed(tx, settlement_id, lock=True)
            await store.end_open(tx, settlement_id, "rejected", by=staff.id, now=now, reason=reason)
            await settlements.dispute(tx, settlement_id, note=None, now=None)
            entry = AuditEntry(
                staff.actor,
                "settlement.reject_dispute",
                f"settlement:{settlement_id}",
                before={"note": settlement.dispute_note},
                after={"reason": reason},
            )
            await record(tx, entry, at=now)
            return {"id": str(settlement_id), "status": settlement.status, "dispute": None}

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def uphold(
        self,
        staff: Staff,
        settlement_id: UUID,
        write_offs: Sequence[HotId],
        reason: str,
        key: RequestKey | None,
    ) -> Answer:
        """Proposes to take these back out of the settlement, because the institution is right.

        Raises:
            NotFound, NotDisputed, NotInSettlement, AlreadyCorrected, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            settlement = await _disputed(tx, settlement_id, lock=False)
            named = await store.named(tx, settlement_id, write_offs)
            if named.found < len(write_offs):
                raise NotInSettlement
            if named.corrected:
                raise AlreadyCorrected
            return await propose(
                tx,
                staff,
                service="redemption",
                kind=UPHOLD,
                target=f"settlement:{settlement_id}",
                body={
                    "settlement_id": str(settlement_id),
                    "dispute_id": str(await store.open_dispute(tx, settlement_id)),
                    "institution_id": settlement.institution_id,
                    "withdraw": [str(one) for one in write_offs],
                    "amount_fen": -named.amount_fen,
                    "reason": reason,
                },
                before={"amount_fen": settlement.amount_fen, "note": settlement.dispute_note},
                reason=reason,
                now=now,
            )

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _apply(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits: the dispute is over, or some of it was corrected meanwhile.

        Locks the settlement, then the write-offs.
        """
        body, now = change.body, self.kit.clock.now()
        settlement_id, dispute_id = UUID(body["settlement_id"]), UUID(body["dispute_id"])
        try:
            await _disputed(tx, settlement_id, lock=True)
        except NotDisputed as refusal:
            raise NoLongerFits(refusal.zh) from refusal
        if await store.open_dispute(tx, settlement_id) != dispute_id:
            raise NoLongerFits(NotDisputed.zh)
        write_offs = [parse_hot_id(text) for text in body["withdraw"]]
        taken = await store.withdraw(
            tx,
            settlement_id,
            write_offs,
            dispute_id=dispute_id,
            change_id=change.id,
            reason=body["reason"],
            now=now,
        )
        if taken < len(write_offs):
            raise NoLongerFits(AlreadyCorrected.zh)
        await store.end_open(
            tx, settlement_id, "upheld", by=None, now=now, reason=body["reason"], change_id=change.id
        )
        await settlements.dispute(tx, settlement_id, note=None, now=None)


async def _disputed(tx: Tx, settlement_id: UUID, *, lock: bool) -> Settlement:
    """Raises NotFound, NotDisputed."""
    settlement = await settlements.by_id(tx, settlement_id, lock=lock)
    if settlement is None:
        raise NotFound
    if settlement.disputed_at is None:
        raise NotDisputed
    return settlement
