"""Events that staff set up: made, shown, closed. Checking in is part of services/issuance/activities."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.issuance.campaigns import store as campaigns
from services.issuance.events import store
from services.issuance.events.errors import CheckInCodeExpired, CheckInCodeUnknown, EventNotOpen
from services.issuance.events.rules import (
    CODE_SYMBOLS,
    Presented,
    event_state,
    is_current,
    presented,
    step_ends,
    step_of,
    tag,
)
from services.issuance.events.schemas import EventBody, EventDetail, EventView
from services.issuance.events.store import Event
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.crypto import KeyedHash
from shared.db import Tx
from shared.errors import Fault, InvalidRequest, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import new_id, random_symbols
from shared.kit import Kit
from shared.vouchers import catalogue

_CODE_DOMAIN = "check-in-code"


@dataclass(frozen=True, slots=True)
class Events:
    kit: Kit

    async def create(self, staff: Staff, slug: str, body: EventBody, key: RequestKey | None) -> Answer:
        """Raises NotFound, InvalidRequest (the campaign does not have this way to take part)."""
        now = self.kit.clock.now()

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                campaign = await catalogue.campaign_by_slug(tx, slug)
                await require_channel(tx, campaign.id, body.channel)
                event, code = self._new_event(campaign.id, body)
                await store.insert_event(
                    tx, event, code_hash=_code_hash(self.kit.keys.index, code), created_by=staff.id, now=now
                )
                told = body.model_dump(mode="json", exclude={"request_no"}, exclude_none=True)
                entry = AuditEntry(staff.actor, "event.create", f"event:{event.id}", after=told)
                await record(tx, entry, at=now)
                return {"event_id": str(event.id), "check_in_code": self._shown_code(event, now)}

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def page(self, slug: str, *, limit: int, after: tuple[datetime, UUID] | None) -> list[Event]:
        """One more than `limit` if there are more. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            return await store.page(tx, campaign.id, limit=limit + 1, after=after)

    def view(self, event: Event) -> EventView:
        now = self.kit.clock.now()
        return EventView.model_validate(_shown(event, now))

    async def detail(self, event_id: UUID, *, slug: str | None = None) -> EventDetail:
        """With the code that is valid now. Raises NotFound, also for an event of another campaign."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            event = await _existing(tx, event_id)
            if slug is not None and (await catalogue.campaign_by_slug(tx, slug)).id != event.campaign_id:
                raise NotFound
            checked_in = await store.checked_in(tx, event_id)
        rotates = event.rotate_seconds
        return EventDetail(
            **_shown(event, now),
            capacity=event.capacity,
            checked_in=checked_in,
            rotate_seconds=rotates,
            check_in_code=self._shown_code(event, now),
            code_expires_at=None if rotates is None else rfc3339(step_ends(now, rotates)),
        )

    async def close(self, staff: Staff, event_id: UUID, reason: str, key: RequestKey | None) -> Answer:
        """Ends check-in at once, for good; closed already: nothing is written. Raises NotFound."""
        now = self.kit.clock.now()

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                await _existing(tx, event_id)
                if await store.close(tx, event_id, now):
                    entry = AuditEntry(
                        staff.actor, "event.close", f"event:{event_id}", after={"reason": reason}
                    )
                    await record(tx, entry, at=now)
                return {"event_id": str(event_id), "state": "closed"}

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    def _new_event(self, campaign_id: UUID, body: EventBody) -> tuple[Event, str]:
        event_id, code = new_id(), random_symbols(CODE_SYMBOLS)
        event = Event(
            id=event_id,
            campaign_id=campaign_id,
            channel=body.channel,
            name=body.name,
            place=body.place,
            starts_at=body.starts_at,
            ends_at=body.ends_at,
            capacity=body.capacity,
            seats_taken=0,
            rotate_seconds=body.rotate_seconds,
            code_sealed=self.kit.keys.sealer.seal_text(code, context=_code_context(event_id)),
            closed_at=None,
        )
        return event, code

    def _shown_code(self, event: Event, now: datetime) -> str:
        code = self.kit.keys.sealer.open_text(event.code_sealed, context=_code_context(event.id))
        if event.rotate_seconds is None:
            return code
        return code + tag(self.kit.keys.index, event.id, step_of(now, event.rotate_seconds))


async def require_channel(tx: Tx, campaign_id: UUID, channel: str) -> None:
    """Raises InvalidRequest: the campaign does not have this way to take part."""
    if channel not in {offered.key for offered in await campaigns.channels(tx, campaign_id)}:
        fault = Fault("body.channel", "本活动没有这种参与方式", "channel_not_offered")
        raise InvalidRequest(faults=(fault,))


async def event_of_code(
    tx: Tx, campaign_id: UUID, channel: str, text: str, *, keys: KeyedHash
) -> tuple[Event, Presented]:
    """The event whose code this text holds, and the code as it was read. Raises CheckInCodeUnknown."""
    code = presented(text)
    if code is None:
        raise CheckInCodeUnknown
    event = await store.event_by_code(tx, campaign_id, channel, _code_hash(keys, code.code))
    if event is None:
        raise CheckInCodeUnknown
    return event, code


def require_open(event: Event, code: Presented, *, keys: KeyedHash, now: datetime) -> None:
    """Raises EventNotOpen, CheckInCodeExpired."""
    if event_state(event.starts_at, event.ends_at, closed_at=event.closed_at, now=now) != "open":
        raise EventNotOpen
    rotates = event.rotate_seconds
    if rotates is not None and not is_current(keys, event.id, code.tag, rotate_seconds=rotates, now=now):
        raise CheckInCodeExpired


async def _existing(tx: Tx, event_id: UUID) -> Event:
    event = await store.event_by_id(tx, event_id)
    if event is None:
        raise NotFound
    return event


def _shown(event: Event, now: datetime) -> dict[str, Any]:
    return {
        "event_id": str(event.id),
        "channel": event.channel,
        "name": event.name,
        "place": event.place,
        "starts_at": rfc3339(event.starts_at),
        "ends_at": rfc3339(event.ends_at),
        "state": event_state(event.starts_at, event.ends_at, closed_at=event.closed_at, now=now),
        "places_left": None if event.capacity is None else event.capacity - event.seats_taken,
    }


def _code_hash(keys: KeyedHash, code: str) -> bytes:
    return keys.digest(_CODE_DOMAIN, code)


def _code_context(event_id: UUID) -> str:
    return f"event/{event_id}/code"
