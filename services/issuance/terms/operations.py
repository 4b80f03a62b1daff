"""Changes of what holds for a whole campaign: budget, payers' shares, limits, ways to take part.

A change adds a version: what was issued, drawn or granted under the one before stays as it was.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from services.issuance.changes.operations import Proposal, cause_of, propose_change
from services.issuance.terms import store
from services.issuance.terms.errors import BudgetInUse, NothingChanges
from services.issuance.terms.rules import put_in_fen
from services.issuance.terms.schemas import (
    BudgetChange,
    ChannelChange,
    LimitsChange,
    SettlementHoldChange,
    SharesChange,
)
from shared import ledger
from shared.approvals import Applier, Change
from shared.db import Tx
from shared.errors import Fault, InvalidRequest, NoLongerFits, NotFound
from shared.idempotency import Answer, RequestKey
from shared.identity.staff import Staff
from shared.kit import Kit
from shared.rates import from_ppm, parse_rate, rate_text, to_ppm
from shared.vouchers import catalogue

BUDGET, SHARES, LIMITS, CHANNEL = "budget", "funding_shares", "limits", "channel"
SETTLEMENT_HOLD = "settlement_hold"


@dataclass(frozen=True, slots=True)
class CampaignTerms:
    kit: Kit
    service: str

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {
            BUDGET: self._apply_budget,
            SHARES: self._apply_shares,
            LIMITS: self._apply_limits,
            CHANNEL: self._apply_channel,
            SETTLEMENT_HOLD: self._apply_settlement_hold,
        }

    async def propose_budget(
        self, staff: Staff, slug: str, wanted: BudgetChange, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound, NothingChanges, BudgetInUse."""

        async def ask(tx: Tx, _now: datetime) -> Proposal:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            fund = await ledger.fund_of(tx, campaign.id)
            before, body = {"budget_fen": fund.budget_fen}, {"budget_fen": wanted.budget_fen}
            _refuse_same(before, body)
            if put_in_fen(await store.put_in(tx, campaign.id)) > wanted.budget_fen:
                raise BudgetInUse
            return Proposal(BUDGET, slug, body, before, wanted.reason)

        return await propose_change(self.kit, self.service, staff, key, ask)

    async def propose_shares(
        self, staff: Staff, slug: str, wanted: SharesChange, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound, NothingChanges, InvalidRequest (not exactly the campaign's payers)."""

        async def ask(tx: Tx, _now: datetime) -> Proposal:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            fund = await ledger.fund_of(tx, campaign.id)
            before = {payer.key: rate_text(from_ppm(payer.share_ppm)) for payer in fund.payers}
            if sorted(source.key for source in wanted.funding_sources) != sorted(before):
                fault = Fault(
                    "body.funding_sources", "须包含本活动的全部资金来源，且各出现一次", "payers_differ"
                )
                raise InvalidRequest(faults=(fault,))
            shares = {source.key: rate_text(source.share) for source in wanted.funding_sources}
            _refuse_same(before, shares)
            return Proposal(SHARES, slug, {"shares": shares}, {"shares": before}, wanted.reason)

        return await propose_change(self.kit, self.service, staff, key, ask)

    async def propose_limits(
        self, staff: Staff, slug: str, wanted: LimitsChange, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound, NothingChanges."""

        async def ask(tx: Tx, _now: datetime) -> Proposal:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            before = asdict(await store.limits(tx, campaign.id))
            body = wanted.model_dump(exclude={"reason", "request_no"})
            _refuse_same(before, body)
            return Proposal(LIMITS, slug, body, before, wanted.reason)

        return await propose_change(self.kit, self.service, staff, key, ask)

    async def propose_channel(
        self, staff: Staff, slug: str, channel: str, wanted: ChannelChange, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound (also for a way to take part that the campaign does not have), NothingChanges."""

        async def ask(tx: Tx, _now: datetime) -> Proposal:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            current = await store.earning(tx, campaign.id, channel)
            if current is None:
                raise NotFound
            before, body = asdict(current), wanted.model_dump(exclude={"reason", "request_no"})
            _refuse_same(before, body)
            return Proposal(CHANNEL, slug, {"channel": channel, **body}, before, wanted.reason)

        return await propose_change(self.kit, self.service, staff, key, ask)

    async def propose_settlement_hold(
        self, staff: Staff, slug: str, wanted: SettlementHoldChange, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound, NothingChanges."""

        async def ask(tx: Tx, _now: datetime) -> Proposal:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            before = {"settlement_hold_days": campaign.settlement_hold_days}
            body = {"settlement_hold_days": wanted.settlement_hold_days}
            _refuse_same(before, body)
            return Proposal(SETTLEMENT_HOLD, slug, body, before, wanted.reason)

        return await propose_change(self.kit, self.service, staff, key, ask)

    async def _apply_budget(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits. Locks the fund and all stock: nothing is issued meanwhile."""
        campaign = await catalogue.campaign_by_slug(tx, change.target)
        await ledger.lock_fund(tx, campaign.id)
        pieces, budget_fen = await store.lock_remaining(tx, campaign.id), change.body["budget_fen"]
        cause = cause_of(change, campaign, self.kit.clock.now())
        fits = put_in_fen(await store.put_in(tx, campaign.id)) <= budget_fen
        if not fits or not await ledger.set_budget(tx, campaign.id, budget_fen, cause, pieces=pieces):
            raise NoLongerFits(BudgetInUse.zh)

    async def _apply_shares(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits. Locks as a budget does: each voucher is issued with one set of shares."""
        campaign = await catalogue.campaign_by_slug(tx, change.target)
        await ledger.lock_fund(tx, campaign.id)
        pieces = await store.lock_remaining(tx, campaign.id)
        shares = {key: to_ppm(parse_rate(share)) for key, share in change.body["shares"].items()}
        cause = cause_of(change, campaign, self.kit.clock.now())
        if not await ledger.set_shares(tx, campaign.id, shares, cause, pieces=pieces):
            raise NoLongerFits(BudgetInUse.zh)

    async def _apply_limits(self, tx: Tx, change: Change) -> None:
        """Draws and claims that have begun may still go by the limits before."""
        campaign, now = await catalogue.campaign_by_slug(tx, change.target), self.kit.clock.now()
        await store.limits(tx, campaign.id, lock=True)
        start, wanted = await store.limits_start(tx, campaign.id, now), store.Limits(**change.body)
        await store.insert_limits(tx, store.Version(campaign.id, change.id, change.reason, start), wanted)
        await store.set_limits(tx, campaign.id, wanted)

    async def _apply_channel(self, tx: Tx, change: Change) -> None:
        campaign, now = await catalogue.campaign_by_slug(tx, change.target), self.kit.clock.now()
        key, wanted = change.body["channel"], store.Earning(*_earning(change.body))
        await store.earning(tx, campaign.id, key, lock=True)
        start = await store.channel_start(tx, campaign.id, key, now)
        version = store.Version(campaign.id, change.id, change.reason, start)
        await store.insert_channel(tx, version, key, wanted)
        await store.set_earning(tx, campaign.id, key, wanted)

    async def _apply_settlement_hold(self, tx: Tx, change: Change) -> None:
        """A settlement run that has begun keeps the period of its beginning."""
        campaign, now = await catalogue.campaign_by_slug(tx, change.target), self.kit.clock.now()
        await store.limits(tx, campaign.id, lock=True)
        start = await store.settlement_hold_start(tx, campaign.id, now)
        version = store.Version(campaign.id, change.id, change.reason, start)
        days: int | None = change.body["settlement_hold_days"]
        await store.insert_settlement_hold(tx, version, days)
        await catalogue.set_settlement_hold(tx, campaign.id, days)


def _earning(body: Mapping[str, Any]) -> tuple[int, int | None, bool]:
    return body["chances"], body["per_day"], body["review"]


def _refuse_same(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    if dict(before) == dict(wanted):
        raise NothingChanges
