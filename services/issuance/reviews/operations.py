"""Deciding about what waits: by staff, or by the share verifier. Decided once, chances granted once."""

import contextlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from services.issuance.activities import store as activities
from services.issuance.activities.operations import evidence_context
from services.issuance.activities.rules import similarity
from services.issuance.activities.store import Grant
from services.issuance.reviews import store
from services.issuance.reviews.errors import ActivityAlreadyDecided, ActivityClaimed
from services.issuance.reviews.rules import Hint, Likeness, hints
from services.issuance.reviews.schemas import (
    ClaimView,
    DecisionView,
    HintView,
    PersonView,
    PhotoView,
    ReviewBody,
    ReviewItem,
)
from services.issuance.reviews.store import Item, Like, Photo, Queue
from shared.audit import AuditEntry, record
from shared.clock import local_day, rfc3339
from shared.db import Tx
from shared.errors import Fault, InvalidRequest, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import HotId, parse_hot_id
from shared.jobs.kinds import Kind
from shared.jobs.kinds import Queue as JobQueue
from shared.kit import Kit
from shared.outbox import add
from shared.sharing import Finding, Share

VERIFIER = "verifier"
# A reviewer reads a report and looks at its photos; what it left lying is for others then.
CLAIMED_FOR = timedelta(minutes=15)
# Shares that came before they said of what kind they are.
_KIND_DEFAULT = "forwarded"
_NOT_GENUINE = "未能核实该次转发。"

Decision = Literal["accepted", "rejected"]
# Where the words stand by which activities are compared.
_WORDS = ("description", "text")


@dataclass(frozen=True, slots=True)
class Reviews:
    kit: Kit

    async def page(
        self, queue: Queue, *, limit: int, after: tuple[datetime, UUID] | None
    ) -> tuple[list[ReviewItem], tuple[datetime, UUID] | None, int]:
        """A page of the queue, the place behind which the next one begins, and how long the queue is."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            found = await store.page(tx, queue, now, limit=limit + 1, after=after)
            items = await self._views(tx, found[:limit])
            total = await store.how_many(tx, queue, now)
        last = found[limit - 1] if len(found) > limit else None
        return items, None if last is None else (last.submitted_at, last.id), total

    async def one(self, activity: HotId) -> ReviewItem:
        """Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            found = await store.item(tx, activity, self.kit.clock.now())
            if found is None:
                raise NotFound
            [view] = await self._views(tx, [found])
        return view

    async def review(self, staff: Staff, activity: HotId, body: ReviewBody, key: RequestKey | None) -> Answer:
        """Accepts or rejects; accepting grants what the channel gives now.

        Raises:
            NotFound, ActivityAlreadyDecided, ActivityClaimed: as named.
            InvalidRequest: a category for what is no lead.
        """
        now = self.kit.clock.now()
        state: Decision = "accepted" if body.decision == "accept" else "rejected"

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                found = await store.item(tx, activity, now)
                if found is None:
                    raise NotFound
                verdict = store.Verdict(
                    state=state,
                    decided_by=staff.actor,
                    note=body.note,
                    category=self._category(found, body.category),
                    staff_id=staff.id,
                )
                chances = await _decide(tx, activity, verdict, now=now)
                entry = AuditEntry(
                    staff.actor,
                    "activity.review",
                    f"activity:{activity}",
                    before={"status": "pending"},
                    after={"status": state, "note": body.note, "chances_granted": chances},
                )
                await record(tx, entry, at=now)
                return {"activity_id": str(activity), "status": state, "chances_granted": chances}

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def waiting_share(self, activity: HotId) -> Share | None:
        """What the verifier is asked; None when somebody decided meanwhile."""
        async with self.kit.database.snapshot() as tx:
            found = await store.waiting_share(tx, activity)
        if found is None:
            return None
        slug, sealed = found
        evidence = self._opened(activity, sealed)
        kind = evidence.get("kind", _KIND_DEFAULT)
        return Share(campaign=slug, kind=kind, url=evidence["url"], text=evidence["text"])

    async def settle(self, activity: HotId, finding: Finding) -> None:
        """Does what the verifier found; what it is unsure of waits for staff, and what they decided stays."""
        if finding.verdict in {"unsure", "later"}:
            return
        genuine = finding.verdict == "genuine"
        state: Decision = "accepted" if genuine else "rejected"
        note = finding.reason if genuine else finding.reason or _NOT_GENUINE
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            found = await store.item(tx, activity, now)
            if found is None or found.state != "pending":
                return
            verdict = store.Verdict(
                state=state,
                decided_by=VERIFIER,
                note=note,
                category=self._category(found, None),
                staff_id=None,
            )
            with contextlib.suppress(ActivityAlreadyDecided):
                await _decide(tx, activity, verdict, now=now)

    async def claim(
        self, staff: Staff, queue: Queue, *, limit: int, key: RequestKey | None
    ) -> list[ReviewItem]:
        """Takes the oldest that wait and nobody has in hand, for a while; those in hand already come too."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                taken = await store.claim(tx, queue, staff.id, now=now, until=now + CLAIMED_FOR, limit=limit)
                return {"activities": [str(activity) for activity in taken]}

            answer = await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)
            found = [
                await store.item(tx, parse_hot_id(activity), now) for activity in answer.body["activities"]
            ]
            return await self._views(tx, [item for item in found if item is not None])

    async def release(self, staff: Staff, activity: HotId) -> None:
        """Gives back what this reviewer has in hand; nothing happens when it has not. Raises NotFound."""
        async with self.kit.database.transaction() as tx:
            if await store.state_of(tx, activity) is None:
                raise NotFound
            await store.release(tx, activity, staff.id)

    def _category(self, item: Item, corrected: str | None) -> str | None:
        """What kind of share or lead it is, as it is counted; nothing of it is left once it was erased."""
        if corrected is not None and item.channel != "lead":
            fault = Fault("body.category", "只有线索可以更正类别", "category_of_leads_only")
            raise InvalidRequest(faults=(fault,))
        if item.evidence_sealed is None:
            return corrected
        evidence = self._opened(item.address, item.evidence_sealed)
        return corrected or evidence.get("category") or evidence.get("kind", _KIND_DEFAULT)

    async def _views(self, tx: Tx, items: Sequence[Item]) -> list[ReviewItem]:
        addresses = [item.address for item in items]
        photos: dict[UUID, list[Photo]] = defaultdict(list)
        for photo in await store.photos_of(tx, addresses):
            photos[photo.activity_id].append(photo)
        alike: dict[HotId, list[Likeness]] = defaultdict(list)
        for found in await store.like(tx, addresses):
            alike[found.asked].append(self._likeness(found))
        return [self._view(item, photos[item.id], hints(alike[item.address])) for item in items]

    def _view(self, item: Item, photos: Sequence[Photo], duplicates: Sequence[Hint]) -> ReviewItem:
        decision = None
        if item.decided_by is not None and item.decided_at is not None:
            decision = DecisionView(
                decided_by=item.decided_by, decided_at=rfc3339(item.decided_at), note=item.note
            )
        return ReviewItem.model_validate(
            {
                "activity_id": str(item.address),
                "campaign": item.slug,
                "channel": item.channel,
                "status": item.state,
                "submitted_at": rfc3339(item.submitted_at),
                "chances_granted": item.chances_granted,
                "person": PersonView(name_masked=item.name_masked, identity_verified=item.verified),
                "evidence": self._evidence(item),
                "photos": [
                    PhotoView(
                        photo_id=str(HotId(photo.bucket, photo.id)), width=photo.width, height=photo.height
                    )
                    for photo in photos
                ],
                "duplicate_hints": [_hint_view(hint) for hint in duplicates],
                "decision": decision,
                "claim": None
                if item.claimed_by is None or item.claimed_until is None
                else ClaimView(staff_id=str(item.claimed_by), expires_at=rfc3339(item.claimed_until)),
            }
        )

    def _evidence(self, item: Item) -> dict[str, Any]:
        if item.evidence_sealed is not None:
            return self._opened(item.address, item.evidence_sealed)
        return {"event_id": str(item.event_id), "event": item.event_name, "place": item.event_place}

    def _likeness(self, found: Like) -> Likeness:
        alike = None
        if found.asked_sealed is not None and found.other_sealed is not None:
            alike = similarity(
                self._words(found.asked, found.asked_sealed), self._words(found.other, found.other_sealed)
            )
        return Likeness(
            other=found.other,
            reason=found.reason,
            state=found.state,
            submitted_at=found.submitted_at,
            same_person=found.same_person,
            similarity=alike,
        )

    def _words(self, activity: HotId, sealed: bytes) -> str:
        evidence = self._opened(activity, sealed)
        return next((evidence[name] for name in _WORDS if name in evidence), "")

    def _opened(self, activity: HotId, sealed: bytes) -> dict[str, Any]:
        opened = self.kit.keys.sealer.open_text(sealed, context=evidence_context(activity))
        evidence: dict[str, Any] = json.loads(opened)
        return evidence


async def _decide(tx: Tx, activity: HotId, verdict: store.Verdict, *, now: datetime) -> int:
    """The chances that it granted. Raises NotFound, ActivityAlreadyDecided, ActivityClaimed."""
    decided = await store.decide(tx, activity, verdict, now=now)
    if decided is None:
        state = await store.state_of(tx, activity)
        if state is None:
            raise NotFound
        raise ActivityClaimed if state == "pending" else ActivityAlreadyDecided
    told = {"activity_id": str(activity)}
    await add(tx, JobQueue.ISSUANCE, Kind.ACTIVITY_DECIDED, told, bucket=activity.bucket)
    if decided.chances_granted:
        grant = Grant(
            activity=activity,
            campaign_id=decided.campaign_id,
            person_id=decided.person_id,
            channel=decided.channel,
            chances=decided.chances_granted,
            day=local_day(now, decided.timezone),
            at=now,
        )
        await activities.grant_chances(tx, grant)
    return decided.chances_granted


def _hint_view(hint: Hint) -> HintView:
    return HintView.model_validate(
        {
            "activity_id": str(hint.other),
            "reasons": list(hint.reasons),
            "similarity": hint.similarity,
            "same_person": hint.same_person,
            "status": hint.state,
            "submitted_at": rfc3339(hint.submitted_at),
        }
    )
