"""Phases that are added later, and stock that goes from one phase to another."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.issuance.campaigns.operations import new_phase
from services.issuance.campaigns.schemas import Phase
from services.issuance.changes.errors import BudgetExceeded, PhaseClosed, StockInUse
from services.issuance.changes.operations import Proposal, cause_of, propose_change
from services.issuance.changes.store import move_stock
from services.issuance.phases import store
from services.issuance.phases.errors import NothingToCarryOver, OpeningPassed, PhaseNotClosed, PhasesOverlap
from services.issuance.phases.rules import carried_expired, carried_unspent
from services.issuance.phases.schemas import CarryOver, PhaseProposal
from services.issuance.terms import store as terms
from services.issuance.terms.rules import refuse_too_much
from shared import ledger
from shared.approvals import Applier, Change
from shared.db import Tx
from shared.errors import Fault, InvalidRequest, NoLongerFits, NotFound, Refusal
from shared.idempotency import Answer, RequestKey
from shared.identity.staff import Staff
from shared.kit import Kit
from shared.money import split_fen
from shared.vouchers import catalogue

PHASE, CARRY_OVER = "phase", "carry_over"


@dataclass(frozen=True, slots=True)
class Carried:
    """What goes from one phase to another, by type: pieces that remain, and pieces of expired vouchers."""

    source: UUID
    target: UUID
    unspent: Mapping[str, int]
    expired: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Phases:
    kit: Kit
    service: str

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {PHASE: self._apply_phase, CARRY_OVER: self._apply_carry_over}

    async def propose_phase(
        self, staff: Staff, slug: str, wanted: PhaseProposal, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound, InvalidRequest, OpeningPassed, PhasesOverlap, BudgetExceeded, TotalCapExceeded."""
        body = wanted.model_dump(mode="json", exclude={"reason", "request_no"}, exclude_none=True)

        async def ask(tx: Tx, now: datetime) -> Proposal:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            last = await store.last_phase(tx, campaign.id)
            _refuse_wrong_number(wanted, last.seq)
            await _refuse_what_does_not_fit(tx, campaign.id, wanted, last, now)
            return Proposal(PHASE, slug, body, {"phases": last.seq}, wanted.reason)

        return await propose_change(self.kit, self.service, staff, key, ask)

    async def propose_carry_over(
        self, staff: Staff, slug: str, seq: int, wanted: CarryOver, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound, InvalidRequest, PhaseNotClosed, PhaseClosed, NothingToCarryOver."""
        body = {"phase": seq, **wanted.model_dump(exclude={"reason", "request_no"})}

        async def ask(tx: Tx, now: datetime) -> Proposal:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            carried = await _carried(tx, campaign.id, body, now)
            before = {"unspent": dict(carried.unspent), "expired": dict(carried.expired)}
            return Proposal(CARRY_OVER, slug, body, before, wanted.reason)

        return await propose_change(self.kit, self.service, staff, key, ask)

    async def _apply_phase(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits. Locks the fund and all stock, as every change does that commits money."""
        campaign, now = await catalogue.campaign_by_slug(tx, change.target), self.kit.clock.now()
        await ledger.lock_fund(tx, campaign.id)
        pieces = Counter(await terms.lock_remaining(tx, campaign.id))
        phase, last = Phase.model_validate(change.body), await store.last_phase(tx, campaign.id)
        if phase.seq != last.seq + 1:
            raise NoLongerFits(f"第 {phase.seq} 期已存在。")
        try:
            prices = await _refuse_what_does_not_fit(tx, campaign.id, phase, last, now)
            new = new_phase(phase, self.kit.keys.sealer)
            await store.insert_phase(tx, campaign.id, new, change_id=change.id, now=now, reason=change.reason)
            for voucher_type, count in phase.stock.items():
                pieces[prices[voucher_type]] += count
            if not await ledger.cover(tx, campaign.id, cause_of(change, campaign, now), pieces=pieces):
                raise BudgetExceeded
        except Refusal as refusal:
            raise NoLongerFits(refusal.zh) from refusal

    async def _apply_carry_over(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits. What can be carried over is counted again, under the locks."""
        campaign, now = await catalogue.campaign_by_slug(tx, change.target), self.kit.clock.now()
        await ledger.lock_fund(tx, campaign.id)
        await terms.lock_remaining(tx, campaign.id)
        try:
            carried = await _carried(tx, campaign.id, change.body, now)
            for voucher_type, pieces in carried.unspent.items():
                if not await move_stock(tx, carried.source, voucher_type, -pieces):
                    raise StockInUse
                await _arrive(tx, change, carried, voucher_type=voucher_type, pieces=pieces, now=now)
            await self._carry_expired(tx, change, campaign.id, carried)
            pieces_left = await terms.lock_remaining(tx, campaign.id)
            if not await ledger.cover(tx, campaign.id, cause_of(change, campaign, now), pieces=pieces_left):
                raise BudgetExceeded
        except Refusal as refusal:
            raise NoLongerFits(refusal.zh) from refusal

    async def _carry_expired(self, tx: Tx, change: Change, campaign_id: UUID, carried: Carried) -> None:
        """What expired leaves the phase as returned: its vouchers stay issued there, their money is free."""
        now = self.kit.clock.now()
        shares_ppm = (await ledger.fund_of(tx, campaign_id)).shares_ppm
        put_in = await terms.put_in(tx, campaign_id)
        for voucher_type, pieces in carried.expired.items():
            each = split_fen(put_in[voucher_type].amount_fen, shares_ppm)
            await store.return_expired(tx, carried.source, voucher_type, pieces)
            await store.insert_return(
                tx,
                carried.source,
                voucher_type,
                pieces,
                value_fen=[pieces * part for part in each],
                change_id=change.id,
                at=now,
            )
            await _arrive(tx, change, carried, voucher_type=voucher_type, pieces=pieces, now=now)


async def _arrive(
    tx: Tx, change: Change, carried: Carried, *, voucher_type: str, pieces: int, now: datetime
) -> None:
    """Pieces that left one phase come to the other; both moves say why."""
    await move_stock(tx, carried.target, voucher_type, pieces)
    for phase_id, delta in ((carried.source, -pieces), (carried.target, pieces)):
        await store.insert_stock_move(
            tx, phase_id, voucher_type, delta, change_id=change.id, at=now, reason=change.reason
        )


async def _carried(tx: Tx, campaign_id: UUID, body: Mapping[str, Any], now: datetime) -> Carried:
    """Raises NotFound, PhaseNotClosed, PhaseClosed, NothingToCarryOver, InvalidRequest (unknown type)."""
    source = await store.window(tx, campaign_id, body["phase"])
    target = await store.window(tx, campaign_id, body["to"])
    if source is None or target is None:
        raise NotFound
    if body["to"] <= body["phase"]:
        raise InvalidRequest(faults=(Fault("body.to", "只能结转到之后的一期", "carry_over_backwards"),))
    if source.closes_at > now:
        raise PhaseNotClosed
    if target.closes_at <= now:
        raise PhaseClosed
    wanted = body["voucher_types"]
    _refuse_unknown_types(wanted or (), await terms.put_in(tx, campaign_id), "voucher_types")
    left = [
        entry
        for entry in await store.unspent(tx, campaign_id, body["phase"])
        if wanted is None or entry.stock.voucher_type in wanted
    ]
    stock = [entry.stock for entry in left]
    unspent = carried_unspent(stock, await store.left_to_award(tx, source.id))
    expired: Mapping[str, int] = {}
    if body["expired"]:
        back = {entry.stock.voucher_type: entry.back_fen for entry in left}
        expired = carried_expired(stock, back, (await ledger.fund_of(tx, campaign_id)).shares_ppm)
    if not unspent and not expired:
        raise NothingToCarryOver
    return Carried(source.id, target.id, unspent, expired)


async def _refuse_what_does_not_fit(
    tx: Tx, campaign_id: UUID, phase: Phase, last: store.LastPhase, now: datetime
) -> Mapping[str, int]:
    """The prices of all types. Raises OpeningPassed, PhasesOverlap, what refuse_too_much and types raise."""
    if phase.opens_at <= now:
        raise OpeningPassed
    if phase.opens_at < last.closes_at:
        raise PhasesOverlap
    put_in = await terms.put_in(tx, campaign_id)
    _refuse_unknown_types(phase.stock, put_in, "stock")
    refuse_too_much(put_in, phase.stock, (await ledger.fund_of(tx, campaign_id)).budget_fen)
    return {key: entry.amount_fen for key, entry in put_in.items()}


def _refuse_wrong_number(phase: Phase, last: int) -> None:
    if phase.seq != last + 1:
        fault = Fault("body.seq", f"期次须依次编号，此处应为 {last + 1}", "phase_seq")
        raise InvalidRequest(faults=(fault,))


def _refuse_unknown_types(wanted: Collection[str], known: Collection[str], field: str) -> None:
    faults = tuple(
        Fault(f"body.{field}", f"本活动没有券种“{key[:64]}”", "stock_type_unknown")
        for key in wanted
        if key not in known
    )
    if faults:
        raise InvalidRequest(faults=faults)
