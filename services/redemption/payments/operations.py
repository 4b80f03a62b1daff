"""Payments: what a confirmed settlement owes moves to paid, by two people and once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from services.redemption.payees import store as payees
from services.redemption.payees.errors import PayeeAccountChanged, PayeeAccountMissing
from services.redemption.payees.operations import shown as shown_account
from services.redemption.payees.store import Account
from services.redemption.payments.errors import OriginalUnpaid, SettlementNotConfirmed
from services.redemption.settlement import store
from services.redemption.settlement.errors import AlreadyPaid
from services.redemption.settlement.operations import by_payer, show
from services.redemption.settlement.rules import Settlement, moves_of
from shared import ledger
from shared.approvals import Applier, Change, propose
from shared.clock import local_day
from shared.db import Tx
from shared.errors import NoLongerFits, NotFound, Refusal
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.kit import Kit
from shared.vouchers import catalogue

PAY = "settlement.pay"


@dataclass(frozen=True, slots=True)
class Payments:
    kit: Kit
    service: ClassVar[str] = "redemption"

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {PAY: self._apply}

    async def propose(
        self, staff: Staff, settlement_id: UUID, reason: str | None, key: RequestKey | None
    ) -> Answer:
        """Proposes that a confirmed settlement is paid.

        Raises:
            NotFound, SettlementNotConfirmed, AlreadyPaid, OriginalUnpaid, RequestNoReused.
            PayeeAccountMissing: where the platform is set to ask for an account.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            settlement = await store.by_id(tx, settlement_id)
            if settlement is None:
                raise NotFound
            payee = (await payees.in_force(tx, [settlement.institution_id])).get(settlement.institution_id)
            refusal = await self._unpayable(tx, settlement, payee)
            if refusal is not None:
                raise refusal
            shown = (await show(tx, [settlement]))[0]
            return await propose(
                tx,
                staff,
                service=self.service,
                kind=PAY,
                target=f"settlement:{settlement_id}",
                body={
                    "settlement_id": str(settlement_id),
                    "campaign": shown.campaign,
                    "institution_id": settlement.institution_id,
                    "institution": settlement.institution,
                    "amount_fen": settlement.amount_fen,
                    "by_funding_source": by_payer(shown.payers, settlement.split_fen),
                    "payee": None if payee is None else shown_account(payee),
                },
                before={"status": settlement.status},
                reason=reason,
                now=now,
            )

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _apply(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits: it was paid meanwhile, takes back what was not paid, or the account changed.

        Locks the settlement, then shares the institution's lock: no account is approved meanwhile.
        """
        settlement_id = UUID(change.body["settlement_id"])
        settlement = await store.by_id(tx, settlement_id, lock=True)
        if settlement is None:
            raise NotFound
        await payees.lock_institution(tx, settlement.institution_id, shared=True)
        payee = (await payees.in_force(tx, [settlement.institution_id])).get(settlement.institution_id)
        refusal = await self._unpayable(tx, settlement, payee) or _other_payee(change, payee)
        now = _paid_at(self.kit.clock.now(), payee)
        paid = refusal is None and await store.mark_paid(
            tx,
            settlement_id,
            change_id=change.id,
            payee_account_id=None if payee is None else payee.id,
            now=now,
        )
        if not paid:
            raise NoLongerFits((refusal or AlreadyPaid()).zh)
        moves = moves_of(
            (await store.lines(tx, [settlement_id]))[settlement_id], payers=len(settlement.split_fen)
        )
        campaign = await catalogue.campaign_by_id(tx, settlement.campaign_id)
        day = local_day(now, campaign.timezone)
        await ledger.settle(
            tx,
            settlement.campaign_id,
            ledger.Cause(settlement_id, f"change:{change.id}", change.reason, now, day),
            institution_id=settlement.institution_id,
            owed_fen=moves.owed_fen,
            taken_back_fen=moves.taken_back_fen,
        )

    async def _unpayable(self, tx: Tx, settlement: Settlement, payee: Account | None) -> Refusal | None:
        if settlement.status == "paid":
            return AlreadyPaid()
        if settlement.status != "confirmed":
            return SettlementNotConfirmed()
        if settlement.corrections and await store.corrects_unpaid(tx, settlement.id):
            return OriginalUnpaid()
        if payee is None and self.kit.settings.payee_account_required:
            return PayeeAccountMissing()
        return None


def _other_payee(change: Change, payee: Account | None) -> Refusal | None:
    """Who approves a payment approves it to the account that the proposal shows."""
    proposed = change.body.get("payee") or {}
    now_in_force = None if payee is None else str(payee.id)
    return None if proposed.get("id") == now_in_force else PayeeAccountChanged()


def _paid_at(now: datetime, payee: Account | None) -> datetime:
    """Never before the account that it is paid to: of two processes one's clock may be behind."""
    return now if payee is None else max(now, payee.effective_from)
