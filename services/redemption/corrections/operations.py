"""Corrections: a settled write-off is taken back, as a negative line in the next settlement."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.redemption.corrections import store
from services.redemption.corrections.errors import AlreadyCorrected, NotSettled
from services.redemption.reversals.errors import AlreadyReversed
from services.redemption.reversals.operations import propose_about
from services.redemption.reversals.store import standing
from shared.approvals import Applier, Change
from shared.db import Tx
from shared.errors import NoLongerFits, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import HotId, parse_hot_id
from shared.kit import Kit

CORRECT = "redemption.correct"


@dataclass(frozen=True, slots=True)
class Corrections:
    kit: Kit

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {CORRECT: self._apply}

    async def propose(self, staff: Staff, address: HotId, reason: str, key: RequestKey | None) -> Answer:
        """Proposes to take a settled write-off back. The voucher stays redeemed.

        Raises:
            NotFound, AlreadyReversed, NotSettled, AlreadyCorrected, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            found = await standing(tx, address)
            if found is None:
                raise NotFound
            if found.state == "reversed":
                raise AlreadyReversed
            if found.settlement_id is None:
                raise NotSettled
            if found.corrected:
                raise AlreadyCorrected
            told = {"request_no": found.request_no, "amount_fen": -found.applied_fen}
            before = {"settlement_id": str(found.settlement_id), "amount_fen": found.applied_fen}
            return await propose_about(
                tx, staff, CORRECT, address, found, told=told, before=before, reason=reason, now=now
            )

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _apply(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits: it was corrected meanwhile."""
        address = parse_hot_id(change.body["redemption_id"])
        taken_back = await store.take_back(
            tx, address, reason=change.body["reason"], change_id=change.id, now=self.kit.clock.now()
        )
        if not taken_back:
            raise NoLongerFits(AlreadyCorrected.zh)
