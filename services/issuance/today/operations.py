"""What a person can do in a campaign today, and the draws that it made: what its pages open with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.issuance.campaigns import store as campaigns
from services.issuance.campaigns.rules import phase_state
from services.issuance.campaigns.store import Channel, Phase, Terms
from services.issuance.exclusions import store as exclusions
from services.issuance.today import store
from services.issuance.today.rules import QUIZ, Counted, left, next_day
from services.issuance.today.schemas import DrawItem, Today, WayToday
from services.issuance.today.store import OwnDraw, Standing
from shared.clock import local_day, rfc3339
from shared.identity.citizens import Citizen
from shared.identity.errors import ConsentWithdrawn
from shared.identity.presence import refused
from shared.ids import HotId
from shared.kit import Kit
from shared.rates import from_ppm, rate_text
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef


@dataclass(frozen=True, slots=True)
class Days:
    kit: Kit

    async def today(self, citizen: Citizen, slug: str) -> Today:
        """Everything in one snapshot. Raises NotFound."""
        [refusal] = await refused(self.kit.database, [citizen], needs_consent=True)
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            phases = await campaigns.phases(tx, [campaign.id], now)
            phase = _open(campaign, phases, now)
            person = HotId(citizen.bucket, citizen.person_id)
            found = await store.standing(tx, person, campaign.id, phase.id if phase else None, now)
            note = await exclusions.appeal_note(tx, campaign.id, person, now=now)
            terms = await campaigns.terms(tx, campaign.id)
            day = local_day(now, campaign.timezone)
            done = {QUIZ: Counted(found.attempts_day, found.attempts_today).on(day)}
            done |= await store.done(tx, person, campaign.id, day)
            ways = [
                _way(channel, _limit(channel, phase), done.get(channel.key, 0), is_open=phase is not None)
                for channel in await campaigns.channels(tx, campaign.id)
            ]
        return Today(
            as_of=rfc3339(now),
            campaign=campaign.slug,
            phase=phase.seq if phase else None,
            next_opens_at=None if phase else _next_opening(campaign, phases, now),
            next_day_at=rfc3339(next_day(now, campaign.timezone)),
            identity_verified=found.verified,
            consent_withdrawn=isinstance(refusal, ConsentWithdrawn),
            excluded=note is not None,
            excluded_note=note,
            open_attempt=str(HotId(citizen.bucket, found.open_attempt)) if found.open_attempt else None,
            chances=found.chances,
            draws_left_today=_draws_left(terms, found, campaign, now) if phase else 0,
            vouchers_left=(left(terms.vouchers_per_phase, found.vouchers_in_phase) or 0) if phase else 0,
            awards_open=found.awards_open,
            ways=ways,
        )

    async def draws(
        self, citizen: Citizen, slug: str, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> list[OwnDraw]:
        """The person's draws from behind a position, newest first. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            person = HotId(citizen.bucket, citizen.person_id)
            return await store.draws(tx, person, campaign.id, before=before, limit=limit)


def _open(campaign: CampaignRef, phases: Sequence[Phase], now: datetime) -> Phase | None:
    def state(phase: Phase) -> str:
        return phase_state(phase.opens_at, phase.closes_at, status=campaign.status, now=now)

    return next((phase for phase in phases if state(phase) == "open"), None)


def _next_opening(campaign: CampaignRef, phases: Sequence[Phase], now: datetime) -> str | None:
    if campaign.status == "ended":
        return None
    coming = [phase.opens_at for phase in phases if phase.opens_at > now]
    return rfc3339(min(coming)) if coming else None


def _draws_left(terms: Terms, found: Standing, campaign: CampaignRef, now: datetime) -> int:
    today = Counted(found.draws_day, found.draws_today).on(local_day(now, campaign.timezone))
    of_day = left(terms.draws_per_day, today) or 0
    of_phase = left(terms.draws_per_phase, found.draws_in_phase)
    return of_day if of_phase is None else min(of_day, of_phase)


def _limit(channel: Channel, phase: Phase | None) -> int | None:
    if channel.key == QUIZ:
        return phase.quiz.attempts_per_day if phase else None
    return channel.per_day


def _way(channel: Channel, limit: int | None, done: int, *, is_open: bool) -> WayToday:
    return WayToday(
        channel=channel.key,
        name=channel.name,
        chances=channel.chances,
        review=channel.review,
        done_today=done,
        left_today=left(limit, done) if is_open else 0,
    )


def draw_item(draw: OwnDraw) -> DrawItem:
    return DrawItem(
        draw_id=str(draw.address),
        phase=draw.phase,
        channel=draw.channel,
        drawn_at=rfc3339(draw.drawn_at),
        won=draw.won,
        chance_id=str(HotId(draw.address.bucket, draw.chance_id)),
        client_seed=draw.client_seed,
        odds=rate_text(from_ppm(draw.odds_ppm)),
        seed_commitment=draw.seed_commitment,
        value=draw.value.hex(),
    )
