"""Where people take part from, and wins that staff look at before they can be claimed."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.issuance.holds import store
from services.issuance.holds.errors import HoldAlreadyDecided
from services.issuance.holds.schemas import DecisionBody, EvidenceView, HoldPerson, HoldView
from services.issuance.holds.store import Hold, Sighting, Watched
from shared.audit import AuditEntry, record
from shared.batching import Batcher
from shared.clock import CHINA, local_day, rfc3339
from shared.db import retried
from shared.errors import NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.citizens import Citizen
from shared.identity.staff import Staff
from shared.ids import HotId
from shared.kit import Kit
from shared.remembered import Remembered

# Whether a campaign watches rarely changes, and is asked by every start and draw.
_REMEMBERED_SECONDS = 1.0
# Sightings that this process has written; each person makes two a day.
_SEEN_MAX = 200_000
_DEVICE_DOMAIN, _ADDRESS_DOMAIN = "risk-device", "risk-address"
_KEY_BYTES = 16
# An address counts for its day only; the day after is for clocks that disagree about midnight.
_ADDRESSES_FOR = timedelta(days=1)
# As long as the longest phase of a campaign may last between two visits of a device.
_DEVICES_FOR = timedelta(days=60)
_FORGET_AT_ONCE = 5000


class Sightings:
    """Notes from where people take part, in campaigns that have a risk rule; in others it does nothing."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._watched = Remembered(self._load, seconds=_REMEMBERED_SECONDS)
        self._seen: set[Sighting] = set()
        self._notes: Batcher[list[Sighting], None] = Batcher(self._note_batch)

    async def note(self, citizen: Citizen, slug: str, *, device: str | None, address: str | None) -> None:
        """Before what it may make suspicious. An unknown campaign is refused by whatever comes next."""
        try:
            campaign = await self._watched.get(slug)
        except NotFound:
            return
        if not campaign.watched:
            return
        new = [
            sighting
            for sighting in self._sightings(citizen, campaign, device, address)
            if sighting not in self._seen
        ]
        if new:
            await self._notes.submit(None, new)

    async def forget(self) -> None:
        """Forgets what no rule can look at any more. Safe to run twice."""
        today = self._kit.clock.now().astimezone(CHINA).date()
        while True:
            async with self._kit.database.transaction(slow=True) as tx:
                forgotten = await store.forget(
                    tx,
                    addresses_before=today - _ADDRESSES_FOR,
                    devices_before=today - _DEVICES_FOR,
                    limit=_FORGET_AT_ONCE,
                )
            if forgotten < _FORGET_AT_ONCE:
                return

    async def drain(self) -> None:
        """Answers what was submitted; at the end of a process."""
        await self._notes.drain()

    async def _load(self, slug: str) -> Watched:
        found = await store.watched(self._kit.database, slug)
        if found is None:
            raise NotFound
        return found

    def _sightings(
        self, citizen: Citizen, campaign: Watched, device: str | None, address: str | None
    ) -> list[Sighting]:
        today = local_day(self._kit.clock.now(), campaign.timezone)
        found = []
        if device is not None:
            found.append(("device", self._hash(_DEVICE_DOMAIN, campaign, device)))
        if address is not None:
            # With the day in it: nobody can be followed from one day to the next.
            found.append(("address", self._hash(_ADDRESS_DOMAIN, campaign, address, today)))
        person = HotId(citizen.bucket, citizen.person_id)
        return [Sighting(campaign.campaign_id, kind, key_hash, person, today) for kind, key_hash in found]

    def _hash(self, domain: str, campaign: Watched, value: str, day: date | None = None) -> bytes:
        text = f"{campaign.campaign_id}\n{day or ''}\n{value}"
        return self._kit.keys.index.digest(domain, text)[:_KEY_BYTES]

    async def _note_batch(self, _key: Hashable, items: Sequence[list[Sighting]]) -> Sequence[None]:
        sightings = [sighting for item in items for sighting in item]
        await store.note(self._kit.database, sightings)
        if len(self._seen) >= _SEEN_MAX:
            self._seen.clear()
        self._seen.update(sightings)
        return [None for _ in items]


@dataclass(frozen=True, slots=True)
class Holds:
    kit: Kit

    async def page(
        self, status: str, slug: str | None, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> tuple[list[HoldView], tuple[datetime, UUID] | None]:
        """The one that waits longest first, and the place of the last one when there are more."""
        async with self.kit.database.snapshot() as tx:
            found = await store.page(tx, status, slug, after=after, limit=limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        return [_view(row) for row in found[:limit]], None if last is None else (last.held_at, last.award_id)

    @retried
    async def decide(self, staff: Staff, award: HotId, body: DecisionBody, key: RequestKey | None) -> Answer:
        """Lets the winner claim, with the time back for which it waited, or gives the award to others.

        Raises:
            NotFound, HoldAlreadyDecided.
        """
        now = self.kit.clock.now()
        state = "released" if body.decision == "release" else "rejected"

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                outcome = await store.decide(tx, award, state=state, by=staff.id, note=body.note, now=now)
                if outcome == "not_found":
                    raise NotFound
                if outcome == "decided":
                    raise HoldAlreadyDecided
                entry = AuditEntry(
                    staff.actor,
                    "award_hold.decide",
                    f"award:{award}",
                    before={"status": "open"},
                    after={"status": state, "note": body.note},
                )
                await record(tx, entry, at=now)
                return {"id": str(award), "status": state}

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)


def _view(row: Hold) -> HoldView:
    return HoldView.model_validate(
        {
            "id": str(HotId(row.bucket, row.award_id)),
            "campaign": row.campaign,
            "phase": row.phase,
            "status": row.state,
            "person": HoldPerson(
                person_id=str(HotId(row.bucket, row.person_id)), name_masked=row.name_masked
            ),
            "won_at": rfc3339(row.won_at),
            "held_at": rfc3339(row.held_at),
            "evidence": [EvidenceView.model_validate(entry) for entry in row.evidence],
            "decided_at": rfc3339(row.decided_at) if row.decided_at else None,
            "decided_by": f"staff:{row.decided_by}" if row.decided_by else None,
            "note": row.note,
        }
    )
