"""Campaigns: proposed by one, published by another, stopped and resumed at once, seen by everybody."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.issuance.campaigns import store
from services.issuance.campaigns.errors import SlugTaken
from services.issuance.campaigns.rules import seed_context
from services.issuance.campaigns.schemas import (
    CampaignView,
    Definition,
    HoldWhen,
    OfflineLimits,
    Phase,
    VoucherTypeDefinition,
)
from services.issuance.campaigns.store import QuizTerms
from services.issuance.holds import store as holds
from services.issuance.phases import store as phases
from services.issuance.phases.rules import STEP_SECONDS
from services.issuance.phases.store import NewPhase
from services.issuance.publicview.operations import campaign_view
from services.issuance.terms import store as terms
from shared.approvals import Applier, Change, propose
from shared.audit import AuditEntry, record
from shared.crypto import Sealer
from shared.db import Tx
from shared.errors import NoLongerFits, NotFound, invariant
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import new_id
from shared.kit import Kit
from shared.ledger import Fund, Payer
from shared.rates import to_ppm
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef, Status, TillRules, VoucherType

PUBLISH = "campaign"

_SEED_BYTES = 32
# A draw that began before the phase closed commits within seconds, and machines' clocks differ by less
# than that. Until no draw can be under way any more the seed stays secret.
_REVEAL_AFTER_CLOSE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Campaigns:
    kit: Kit
    service: str

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {PUBLISH: self._publish}

    async def propose(self, staff: Staff, definition: Definition, key: RequestKey | None) -> Answer:
        """Raises SlugTaken. The campaign does not exist before somebody else approves it."""
        now = self.kit.clock.now()
        body = definition.model_dump(mode="json", exclude_none=True, exclude={"request_no"})

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                if await _slug_is_taken(tx, definition.slug):
                    raise SlugTaken
                return await propose(
                    tx,
                    staff,
                    service=self.service,
                    kind=PUBLISH,
                    target=definition.slug,
                    body=body,
                    before={},
                    reason=None,
                    now=now,
                )

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _publish(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits: the slug was taken meanwhile, or a phase would have begun unannounced."""
        now = self.kit.clock.now()
        definition = Definition.model_validate(change.body)
        for phase in definition.phases:
            if phase.opens_at <= now:
                raise NoLongerFits(f"第 {phase.seq} 期的开始时间已过。")
        campaign = CampaignRef(
            id=new_id(),
            slug=definition.slug,
            title=definition.title,
            timezone=definition.timezone,
            status="published",
            institution_approval=definition.institution_approval,
            settlement_hold_days=definition.settlement_hold_days,
        )
        types = tuple(_voucher_type(entry) for entry in definition.voucher_types)
        actor = f"change:{change.id}"
        if not await catalogue.publish(
            tx,
            campaign,
            types=types,
            fund=_fund(definition),
            actor=actor,
            now=now,
            pieces=_pieces(definition),
            tills=_till_rules(definition),
        ):
            raise NoLongerFits(f"活动代码“{definition.slug}”已被使用。")
        await self._write_rules(tx, campaign.id, definition, change, now)

    async def _write_rules(
        self, tx: Tx, campaign_id: UUID, definition: Definition, change: Change, now: datetime
    ) -> None:
        limits = definition.per_person_limits
        rules = store.Terms(
            slogan=definition.slogan, award_valid_days=definition.award_valid_days, **limits.model_dump()
        )
        await store.insert_terms(tx, campaign_id, rules, change.body)
        channels = [store.Channel(**entry.model_dump()) for entry in definition.channels]
        await store.insert_channels(tx, campaign_id, channels)
        if definition.risk is not None:
            hold_when = definition.risk.hold_when or HoldWhen()
            await holds.insert_risk_rule(
                tx, campaign_id, hold_when.model_dump(), note_claims=definition.risk.note_claims
            )
        version = terms.Version(campaign_id, change.id, reason=None, effective_from=now)
        await terms.insert_limits(tx, version, terms.Limits(**limits.model_dump()))
        await terms.insert_settlement_hold(tx, version, definition.settlement_hold_days)
        for channel in channels:
            earning = terms.Earning(channel.chances, channel.per_day, channel.review)
            await terms.insert_channel(tx, version, channel.key, earning)
        for phase in definition.phases:
            new = new_phase(phase, self.kit.keys.sealer)
            await phases.insert_phase(tx, campaign_id, new, change_id=change.id, now=now)

    async def set_status(
        self, staff: Staff, slug: str, status: Status, reason: str, key: RequestKey | None
    ) -> Answer:
        """Pauses or resumes at once; in that status already: nothing is written. Raises NotFound."""
        now = self.kit.clock.now()
        before: Status = "published" if status == "paused" else "paused"

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                campaign = await catalogue.campaign_by_slug(tx, slug)
                if await catalogue.set_status(tx, campaign.id, expected=before, status=status):
                    entry = AuditEntry(
                        staff.actor,
                        "campaign.pause" if status == "paused" else "campaign.resume",
                        f"campaign:{slug}",
                        before={"status": before},
                        after={"status": status, "reason": reason},
                    )
                    await record(tx, entry, at=now)
                current = await catalogue.campaign_by_id(tx, campaign.id)
                return {"slug": slug, "status": current.status}

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def view(self, slug: str) -> CampaignView:
        """Raises NotFound."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            return await campaign_view(tx, await catalogue.campaign_by_slug(tx, slug), now)

    async def page(self, *, limit: int, after: str | None) -> list[CampaignView]:
        """Newest first, from behind the campaign with that slug; one more than `limit` if there are more."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            found = await catalogue.campaigns(tx)
            slugs = [campaign.slug for campaign in found]
            start = slugs.index(after) + 1 if after in slugs else 0
            return [await campaign_view(tx, campaign, now) for campaign in found[start : start + limit + 1]]

    async def reveal_seeds(self) -> None:
        """Publishes the seeds of phases that have closed. Safe to run twice: each is revealed once."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            for sealed in await store.lock_seeds_due(tx, now - _REVEAL_AFTER_CLOSE):
                seed = self.kit.keys.sealer.open(sealed.seed_sealed, context=seed_context(sealed.phase_id))
                kept = hashlib.sha256(seed).hexdigest() == sealed.seed_commitment
                invariant(kept, f"the seed of phase {sealed.phase_id} is not the one that was committed")
                await store.reveal_seed(tx, sealed.phase_id, seed.hex())


def new_phase(phase: Phase, sealer: Sealer) -> NewPhase:
    """With a fresh seed: sealed until the phase has closed, committed from now on."""
    phase_id, seed, plan = new_id(), secrets.token_bytes(_SEED_BYTES), phase.release_plan
    return NewPhase(
        id=phase_id,
        seq=phase.seq,
        opens_at=phase.opens_at,
        closes_at=phase.closes_at,
        seed_sealed=sealer.seal(seed, context=seed_context(phase_id)),
        seed_commitment=hashlib.sha256(seed).hexdigest(),
        odds_ppm=to_ppm(phase.odds),
        quiz=QuizTerms(**phase.quiz.model_dump()),
        stock=phase.stock,
        release_seconds=STEP_SECONDS[plan.every] if plan else None,
        release_amounts=plan.amounts if plan else {},
    )


async def _slug_is_taken(tx: Tx, slug: str) -> bool:
    try:
        await catalogue.campaign_by_slug(tx, slug)
    except NotFound:
        return False
    return True


def _voucher_type(entry: VoucherTypeDefinition) -> VoucherType:
    amount_fen = entry.face_value_fen if entry.kind == "general" else entry.settlement_price_fen
    assert amount_fen is not None  # noqa: S101 - narrows the type; the definition's rules have checked it
    return VoucherType(
        key=entry.key,
        kind=entry.kind,
        name=entry.name,
        covers=entry.covers,
        amount_fen=amount_fen,
        validity_days=entry.validity_days,
        reports_result_to_health_code=entry.reports_result_to_health_code,
        total_cap=entry.total_cap,
        reversal=entry.reversal,
        reversal_window_hours=entry.reversal_window_hours,
    )


def _till_rules(definition: Definition) -> TillRules:
    offline = definition.offline_limits or OfflineLimits()
    return TillRules(
        manual_write_off=definition.manual_write_off,
        offline_count_per_day=offline.count_per_day,
        offline_fen_per_day=offline.fen_per_day,
    )


def _pieces(definition: Definition) -> Mapping[int, int]:
    """The vouchers that the stock of all phases may become, counted by their price."""
    prices = {entry.key: _voucher_type(entry).amount_fen for entry in definition.voucher_types}
    pieces: Counter[int] = Counter()
    for phase in definition.phases:
        for key, count in phase.stock.items():
            pieces[prices[key]] += count
    return pieces


def _fund(definition: Definition) -> Fund:
    payers = tuple(
        Payer(key=source.key, name=source.name, share_ppm=to_ppm(source.share))
        for source in definition.funding_sources
    )
    return Fund(payers=payers, budget_fen=definition.budget_fen)
