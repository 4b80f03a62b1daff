"""A campaign as everybody may see it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.issuance.campaigns import store
from services.issuance.campaigns.rules import phase_state
from services.issuance.campaigns.schemas import (
    CampaignView,
    ChannelView,
    PersonLimits,
    PhaseView,
    QuizRuleView,
    ReleasePlan,
    VoucherTypeView,
)
from services.issuance.phases.rules import STEP_SECONDS, Release
from services.issuance.publicview.rules import is_under
from services.issuance.terms import store as terms
from shared.clock import rfc3339
from shared.db import Tx
from shared.rates import from_ppm, rate_text
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef, VoucherType


async def campaign_view(tx: Tx, campaign: CampaignRef, now: datetime) -> CampaignView:
    """What is in force at this moment, what is left, and what of it can be claimed."""
    rules = await store.terms(tx, campaign.id)
    stock: dict[UUID, list[store.Stock]] = defaultdict(list)
    for entry in await store.stock(tx, [campaign.id]):
        stock[entry.phase_id].append(entry)
    return CampaignView(
        slug=campaign.slug,
        title=campaign.title,
        slogan=rules.slogan,
        status=campaign.status,
        timezone=campaign.timezone,
        per_person_limits=PersonLimits(
            vouchers_per_phase=rules.vouchers_per_phase,
            draws_per_day=rules.draws_per_day,
            draws_per_phase=rules.draws_per_phase,
            vouchers_per_type=rules.vouchers_per_type,
        ),
        award_valid_days=rules.award_valid_days,
        channels=[
            ChannelView(
                key=channel.key,
                name=channel.name,
                chances=channel.chances,
                per_day=channel.per_day,
                review=channel.review,
            )
            for channel in await store.channels(tx, campaign.id)
        ],
        voucher_types=[_type_view(entry) for entry in await catalogue.voucher_types(tx, campaign.id)],
        phases=[
            _phase_view(phase, stock[phase.id], status=campaign.status, now=now)
            for phase in await store.phases(tx, [campaign.id], now)
        ],
        assumed=await _still_assumed(tx, campaign.id, rules.assumed),
    )


async def _still_assumed(tx: Tx, campaign_id: UUID, assumed: Sequence[str]) -> list[str]:
    """Without what was decided since: a change is no assumption any more."""
    if not assumed:
        return []
    decided = await terms.changed_paths(tx, campaign_id)
    return [path for path in assumed if not is_under(path, decided)]


def _type_view(entry: VoucherType) -> VoucherTypeView:
    general = entry.kind == "general"
    return VoucherTypeView(
        key=entry.key,
        kind=entry.kind,
        name=entry.name,
        covers=entry.covers,
        face_value_fen=entry.amount_fen if general else None,
        settlement_price_fen=None if general else entry.amount_fen,
        validity_days=entry.validity_days,
        total_cap=entry.total_cap,
    )


def _phase_view(phase: store.Phase, stock: Sequence[store.Stock], *, status: str, now: datetime) -> PhaseView:
    releases = {
        entry.voucher_type: Release(
            phase.opens_at, phase.closes_at, phase.release_seconds, entry.release_amount
        )
        for entry in stock
        if phase.release_seconds is not None and entry.release_amount is not None
    }
    return PhaseView(
        seq=phase.seq,
        opens_at=rfc3339(phase.opens_at),
        closes_at=rfc3339(phase.closes_at),
        state=phase_state(phase.opens_at, phase.closes_at, status=status, now=now),
        odds=rate_text(from_ppm(phase.odds_ppm)),
        quiz=QuizRuleView(
            questions=phase.quiz.questions,
            pass_score=phase.quiz.pass_score,
            attempts_per_day=phase.quiz.attempts_per_day,
            time_limit_seconds=phase.quiz.time_limit_seconds,
        ),
        stock_remaining={entry.voucher_type: entry.remaining for entry in stock},
        stock_claimable={
            entry.voucher_type: _claimable(entry, releases.get(entry.voucher_type), now) for entry in stock
        },
        release_plan=_plan(phase, releases),
        next_release_at=_next_release(stock, releases, now),
        seed_commitment=phase.seed_commitment,
    )


def _claimable(stock: store.Stock, release: Release | None, now: datetime) -> int:
    return stock.remaining if release is None else release.claimable(stock.remaining, stock.issued, now)


def _plan(phase: store.Phase, releases: Mapping[str, Release]) -> ReleasePlan | None:
    if not releases:
        return None
    every = next(every for every, seconds in STEP_SECONDS.items() if seconds == phase.release_seconds)
    return ReleasePlan(every=every, amounts={key: release.amount for key, release in releases.items()})


def _next_release(stock: Sequence[store.Stock], releases: Mapping[str, Release], now: datetime) -> str | None:
    """The first moment at which a type can be claimed again that has pieces left, but none now."""
    moments = [
        releases[entry.voucher_type].next_at(entry.issued, now)
        for entry in stock
        if entry.voucher_type in releases and entry.remaining > 0
    ]
    known = [moment for moment in moments if moment is not None]
    return rfc3339(min(known)) if known else None
