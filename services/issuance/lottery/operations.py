"""Drawing, and what a person sees of chances and awards."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.issuance.campaigns.rules import seed_context
from services.issuance.exclusions.errors import ParticipationExcluded
from services.issuance.exclusions.operations import with_appeals
from services.issuance.lottery import store
from services.issuance.lottery.errors import (
    AwardsExhausted,
    IdentityRequired,
    LimitReached,
    NoChance,
)
from services.issuance.lottery.rules import hmac_pads, message_prefix
from services.issuance.lottery.schemas import HotAwardRef, HotDrawView, HotProof
from services.issuance.lottery.store import (
    Award,
    Chance,
    Drawn,
    Phase,
    Phases,
    Spending,
    Terms,
)
from services.issuance.quiz.errors import CampaignPaused, PhaseNotOpen
from shared.batching import Batcher
from shared.clock import rfc3339
from shared.db import Tx
from shared.errors import NotFound, Refusal, RequestNoReused, invariant
from shared.idempotency import fingerprint
from shared.identity.citizens import Citizen
from shared.identity.presence import present_only
from shared.ids import HotId, new_id
from shared.kit import Kit
from shared.rates import from_ppm, rate_text
from shared.remembered import Remembered

# Which phases there are; whether one is open, and everything else that decides, is read in SQL every time.
_REMEMBERED_SECONDS = 1.0
EXPIRE_AT_ONCE = 500

_REFUSALS: Mapping[str, type[Refusal]] = {
    "request_no_reused": RequestNoReused,
    PhaseNotOpen.code: PhaseNotOpen,
    CampaignPaused.code: CampaignPaused,
    ParticipationExcluded.code: ParticipationExcluded,
    IdentityRequired.code: IdentityRequired,
    NoChance.code: NoChance,
    LimitReached.code: LimitReached,
    AwardsExhausted.code: AwardsExhausted,
}


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw as it is answered; `replayed` when the request number was used before."""

    reply: HotDrawView
    replayed: bool


@dataclass(frozen=True, slots=True)
class _Wish:
    citizen: Citizen
    request_no: str
    client_seed: str


def _person(item: _Wish) -> Hashable:
    return item.citizen.person_id


class Lottery:
    """The draws of all campaigns. A phase's seed is opened when it is first drawn in, and kept in memory."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._phases = Remembered(self._load, seconds=_REMEMBERED_SECONDS)
        self._pads: dict[UUID, tuple[bytes, bytes]] = {}
        self._draws: Batcher[_Wish, Draw | Refusal] = Batcher(
            present_only(kit.database, self._draw_batch, needs_consent=True), apart=_person
        )

    async def draw(self, citizen: Citizen, slug: str, request_no: str, client_seed: str) -> Draw:
        """Spends the oldest chance.

        Raises:
            NotFound, PhaseNotOpen, CampaignPaused, ParticipationExcluded, IdentityRequired, NoChance,
            LimitReached, AwardsExhausted, RequestNoReused: as named; the chance is kept.
        """
        result = await self._draws.submit(slug, _Wish(citizen, request_no, client_seed))
        if isinstance(result, Refusal):
            raise result
        return result

    async def chances(
        self, citizen: Citizen, slug: str | None, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> tuple[int, list[Chance]]:
        """How many can be drawn, and the chances from behind a position, newest first. Raises NotFound."""
        owner = HotId(citizen.bucket, citizen.person_id)
        async with self._kit.database.snapshot() as tx:
            campaign = await _campaign(tx, slug)
            found = await store.chances(tx, owner, campaign, before=before, limit=limit)
            return await store.available(tx, owner, campaign), found

    async def awards(
        self, citizen: Citizen, slug: str | None, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> list[Award]:
        """Awards from behind a position, newest first. Raises NotFound."""
        owner = HotId(citizen.bucket, citizen.person_id)
        async with self._kit.database.snapshot() as tx:
            campaign = await _campaign(tx, slug)
            return await store.awards(tx, owner, campaign, before=before, limit=limit)

    async def expire_awards(self) -> int:
        """Ends awards that nobody claimed in time and gives them back; returns how many."""
        ended = 0
        while True:
            async with self._kit.database.transaction() as tx:
                batch = await store.expire_awards(tx, now=self._kit.clock.now(), limit=EXPIRE_AT_ONCE)
            if not batch:
                return ended
            ended += batch

    async def drain(self) -> None:
        """Answers what was submitted; at the end of a process."""
        await self._draws.drain()

    async def _load(self, slug: str) -> Phases:
        found = await store.phases(self._kit.database, slug)
        if found is None:
            raise NotFound
        return found

    async def _draw_batch(self, key: Hashable, items: Sequence[_Wish]) -> Sequence[Draw | Refusal]:
        slug = str(key)
        try:
            campaign = await self._phases.get(slug)
        except NotFound:
            return [NotFound() for _ in items]
        now = self._kit.clock.now()
        phase = campaign.open_at(now)
        if phase is None:
            campaign = await self._phases.get(slug, fresh=True)
            phase = campaign.open_at(now)
        terms = Terms(
            campaign_id=campaign.campaign_id,
            phase_id=phase.id if phase else None,
            pads=self._pads_of(phase) if phase else (b"", b""),
            prefix=message_prefix(slug, phase.seq) if phase else "",
        )
        spendings = [_spending(slug, item) for item in items]
        rows = await store.draw_batch(self._kit.database, terms, spendings, now=now)
        citizens = [item.citizen for item in items]
        return await with_appeals(self._kit, campaign.campaign_id, citizens, [_draw(row) for row in rows])

    def _pads_of(self, phase: Phase) -> tuple[bytes, bytes]:
        kept = self._pads.get(phase.id)
        if kept is None:
            seed = self._kit.keys.sealer.open(phase.seed_sealed, context=seed_context(phase.id))
            kept = self._pads[phase.id] = hmac_pads(seed)
        return kept


async def _campaign(tx: Tx, slug: str | None) -> UUID | None:
    if slug is None:
        return None
    found = await store.campaign_id(tx, slug)
    if found is None:
        raise NotFound
    return found


def _spending(slug: str, item: _Wish) -> Spending:
    return Spending(
        address=HotId(item.citizen.bucket, new_id()),
        person_id=item.citizen.person_id,
        award_id=new_id(),
        request_no=item.request_no,
        fingerprint=fingerprint([slug, item.client_seed]),
        client_seed=item.client_seed,
    )


def _draw(row: Drawn) -> Draw | Refusal:
    if row.outcome in _REFUSALS:
        return _REFUSALS[row.outcome]()
    invariant(row.outcome in {"created", "replayed"}, f"a draw ended as {row.outcome!r}")
    award = None
    if row.award_id is not None and row.award_expires_at is not None:
        award = HotAwardRef(str(HotId(row.bucket, row.award_id)), rfc3339(row.award_expires_at))
    reply = HotDrawView(
        draw_id=str(HotId(row.bucket, row.draw_id)),
        won=row.won,
        award=award,
        proof=HotProof(
            chance_id=str(HotId(row.bucket, row.chance_id)),
            client_seed=row.client_seed,
            odds=rate_text(from_ppm(row.odds_ppm)),
            seed_commitment=row.seed_commitment,
            value=row.value.hex(),
        ),
    )
    return Draw(reply, replayed=row.outcome == "replayed")
