"""Taking part by a share, a lead or a check-in."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from services.issuance.activities import store
from services.issuance.activities.errors import LimitReached
from services.issuance.activities.rules import first_state, lead_subject, share_subject, text_bands
from services.issuance.activities.schemas import (
    ActivityBody,
    ChannelFigures,
    CheckInEvidence,
    DayFigures,
    Evidence,
    Figures,
    LeadEvidence,
    OwnActivityView,
    ShareEvidence,
)
from services.issuance.activities.store import Grant, NewActivity, OwnActivity, SealedEvidence, Terms
from services.issuance.campaigns import store as campaigns
from services.issuance.events import store as events
from services.issuance.events.errors import AlreadyCheckedIn, EventFull
from services.issuance.events.operations import event_of_code, require_open
from services.issuance.events.store import Event
from services.issuance.exclusions.operations import require_not_excluded
from services.issuance.photos import store as photos
from services.issuance.quiz.errors import CampaignPaused, PhaseNotOpen
from shared import outbox
from shared.clock import local_day, rfc3339
from shared.db import Tx, retried
from shared.errors import Fault, InvalidRequest, NotFound, Unauthenticated
from shared.idempotency import Answer, RequestKey, fingerprint, once
from shared.identity.citizens import Citizen
from shared.identity.errors import ConsentWithdrawn
from shared.identity.store import hold_account
from shared.ids import HotId, new_id, parse_hot_id
from shared.jobs.kinds import Kind, Queue
from shared.kit import Kit
from shared.metrics import store as metrics
from shared.vouchers import catalogue

_SUBJECT_DOMAIN = "activity-subject"
_BANDS_DOMAIN = "activity-text"
_SUBJECT_HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Activities:
    """`verifies_shares`: a share verifier is set up, so that shares are asked about instead of reviewed."""

    kit: Kit
    verifies_shares: bool

    @retried
    async def take_part(self, citizen: Citizen, slug: str, body: ActivityBody) -> Answer:
        """Records what the person did, and grants its chances unless somebody has to look at it first.

        Raises:
            NotFound, PhaseNotOpen, CampaignPaused, ParticipationExcluded, LimitReached,
            RequestNoReused: as named.
            CheckInCodeUnknown, AlreadyCheckedIn, EventNotOpen, CheckInCodeExpired, EventFull: of check-ins.
            InvalidRequest: the campaign does not have this channel, or a photo is not there to be used.
            Unauthenticated, ConsentWithdrawn: of the account.
        """
        now = self.kit.clock.now()
        told = [slug, body.channel, body.evidence.model_dump()]
        key = RequestKey(citizen.caller, "activity", body.request_no, fingerprint(told))

        async with self.kit.database.transaction() as tx:
            # First of all locks: evidence that comes after its person was erased would stay for ever.
            standing = await hold_account(tx, citizen.account_id)
            if standing is None:
                raise Unauthenticated

            async def act() -> dict[str, Any]:
                if standing.consent_withdrawn:
                    raise ConsentWithdrawn
                return await self._record(tx, citizen, slug, body, now)

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _record(
        self, tx: Tx, citizen: Citizen, slug: str, body: ActivityBody, now: datetime
    ) -> dict[str, Any]:
        terms = await store.terms(tx, slug, body.channel, now)
        if terms is None:
            raise NotFound
        phase_id, chances = _open_way(terms)
        person = HotId(citizen.bucket, citizen.person_id)
        # From here on the person's other devices wait: what is read about it stays true until the commit.
        await store.lock_turn(tx, person, terms.campaign_id)
        await require_not_excluded(tx, terms.campaign_id, person, now)
        event = await self._check_in(tx, person, terms, body, now)
        day = local_day(now, terms.timezone)
        before = await store.count_of_day(tx, person, terms.campaign_id, body.channel, day)
        if terms.per_day is not None and before >= terms.per_day:
            raise LimitReached
        asks = self.verifies_shares and body.channel == "share"
        state = first_state(review=bool(terms.review), ask_verifier=asks)
        address = HotId(citizen.bucket, new_id())
        activity = NewActivity(
            address=address,
            campaign_id=terms.campaign_id,
            phase_id=phase_id,
            person_id=citizen.person_id,
            channel=body.channel,
            state=state,
            day=day,
            day_no=before + 1,
            submitted_at=now,
            chances_granted=chances if state == "accepted" else 0,
            event_id=None if event is None else event.id,
            evidence=self._sealed(address, body.evidence),
        )
        await store.insert_activity(tx, activity)
        if isinstance(body.evidence, LeadEvidence):
            await _attach(tx, activity, body.evidence.photos)
        if asks:
            payload = {"activity_id": str(address)}
            await outbox.add(tx, Queue.ISSUANCE, Kind.SHARE_SUBMITTED, payload, bucket=address.bucket)
        await _grant(tx, activity)
        # Last: everybody at a crowded event queues up at its row.
        if event is not None and event.capacity is not None and not await events.take_seat(tx, event.id):
            raise EventFull
        return {
            "activity_id": str(address),
            "status": state,
            "chances_granted": activity.chances_granted,
        }

    async def _check_in(
        self, tx: Tx, person: HotId, terms: Terms, body: ActivityBody, now: datetime
    ) -> Event | None:
        """The open event whose code was shown; None where no code is asked for."""
        if not isinstance(body.evidence, CheckInEvidence):
            return None
        keys = self.kit.keys.index
        shown = body.evidence.check_in_code
        event, code = await event_of_code(tx, terms.campaign_id, body.channel, shown, keys=keys)
        if await store.has_checked_in(tx, person, event.id):
            raise AlreadyCheckedIn
        require_open(event, code, keys=keys, now=now)
        return event

    def _sealed(self, activity: HotId, evidence: Evidence) -> SealedEvidence | None:
        """What is kept of the evidence; nothing of a check-in's, which is the event."""
        category: str
        match evidence:
            case CheckInEvidence():
                return None
            case ShareEvidence():
                category, words = evidence.kind, evidence.text
                subject = share_subject(evidence.kind, evidence.url, words)
            case LeadEvidence():
                category, words = evidence.category, evidence.description
                subject = lead_subject(category, evidence.place)
            case _:
                assert_never(evidence)
        # As it was sent: what the form fills in by itself is not evidence.
        sent = evidence.model_dump(exclude={"photos"}, exclude_defaults=True)
        told = json.dumps(sent, ensure_ascii=False)
        keys = self.kit.keys
        return SealedEvidence(
            sealed=keys.sealer.seal_text(told, context=evidence_context(activity)),
            category=category,
            subject_hash=keys.index.digest(_SUBJECT_DOMAIN, subject)[:_SUBJECT_HASH_BYTES],
            text_bands=text_bands(words, keys.index.digest(_BANDS_DOMAIN, "")),
        )

    async def mine(
        self, citizen: Citizen, slug: str | None, *, limit: int, after: tuple[datetime, UUID] | None
    ) -> list[OwnActivity]:
        """Newest first; one more than `limit` if there are more."""
        async with self.kit.database.snapshot() as tx:
            person = HotId(citizen.bucket, citizen.person_id)
            return await store.own_activities(tx, person, slug, limit=limit + 1, after=after)

    async def figures(self, slug: str) -> Figures:
        """What came in each way, and what became of it. Raises NotFound."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            channels = [
                entry.key for entry in await campaigns.channels(tx, campaign.id) if entry.key != "quiz"
            ]
            found = await metrics.figures(tx, [campaign.id], ["activity", "chance"])
        days = sorted({figure.day for figure in found if figure.dim in channels})
        return Figures(
            as_of=rfc3339(now),
            channels=[ChannelFigures.model_validate(_summed(channel, found)) for channel in channels],
            daily=[
                DayFigures(
                    date=day.isoformat(), **_summed(channel, [entry for entry in found if entry.day == day])
                )
                for day in days
                for channel in channels
            ],
        )


def own_view(activity: OwnActivity) -> OwnActivityView:
    return OwnActivityView.model_validate(
        {
            "activity_id": str(HotId(activity.bucket, activity.id)),
            "campaign": activity.slug,
            "channel": activity.channel,
            "status": activity.state,
            "submitted_at": rfc3339(activity.submitted_at),
            "chances_granted": activity.chances_granted,
            "note": activity.note,
        }
    )


def evidence_context(activity: HotId) -> str:
    """What ties sealed evidence to its activity."""
    return f"activity/{activity}/evidence"


def _open_way(terms: Terms) -> tuple[UUID, int]:
    """The open phase, and what this way earns. Raises what stands in the way."""
    if terms.status == "ended" or terms.phase_id is None:
        raise PhaseNotOpen
    if terms.status == "paused":
        raise CampaignPaused
    if terms.chances is None:
        fault = Fault("body.channel", "本活动没有这种参与方式", "channel_not_offered")
        raise InvalidRequest(faults=(fault,))
    return terms.phase_id, terms.chances


async def _grant(tx: Tx, activity: NewActivity) -> None:
    if not activity.chances_granted:
        return
    grant = Grant(
        activity=activity.address,
        campaign_id=activity.campaign_id,
        person_id=activity.person_id,
        channel=activity.channel,
        chances=activity.chances_granted,
        day=activity.day,
        at=activity.submitted_at,
    )
    await store.grant_chances(tx, grant)


async def _attach(tx: Tx, activity: NewActivity, photo_ids: Sequence[str]) -> None:
    """Raises InvalidRequest naming every photo that is not this person's, or belongs to another activity."""
    if not photo_ids:
        return
    person = HotId(activity.address.bucket, activity.person_id)
    wanted = [_photo_uuid(photo_id, person.bucket) for photo_id in photo_ids]
    known = [uuid for uuid in wanted if uuid is not None]
    attached = await photos.attach(tx, person, known, activity.address.uuid)
    if all(uuid in attached for uuid in wanted):
        return
    used = await photos.used(tx, person, known) - attached
    raise InvalidRequest(
        faults=tuple(
            Fault(f"body.evidence.photos.{place}", "该照片已用于另一条记录", "photo_used")
            if uuid in used
            else Fault(f"body.evidence.photos.{place}", "没有这张照片，请重新上传", "photo_unknown")
            for place, uuid in enumerate(wanted)
            if uuid is None or uuid not in attached
        )
    )


def _photo_uuid(photo_id: str, bucket: int) -> UUID | None:
    """None for what cannot be a photo of somebody who lives in that bucket."""
    try:
        address = parse_hot_id(photo_id)
    except NotFound:
        return None
    return address.uuid if address.bucket == bucket else None


def _summed(channel: str, figures: Iterable[metrics.Figure]) -> dict[str, Any]:
    counts = dict.fromkeys(("pending", "accepted", "rejected", "chances"), 0)
    for figure in figures:
        if figure.dim == channel:
            counts["chances" if figure.measure == "chance" else figure.dim2] += figure.n
    submitted = counts["pending"] + counts["accepted"] + counts["rejected"]
    return {"channel": channel, "submitted": submitted, **counts}
