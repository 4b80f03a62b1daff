"""Whose card it is: unattributed cards given to a hospital by two people, and the trace of any event."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from services.quota.attribution import store
from services.quota.attribution.errors import EventUnknown, NotUnattributed
from services.quota.attribution.rules import WHY_ZH, PersonEvent, Why, counts_today, note, tell, why
from services.quota.attribution.schemas import (
    Assignment,
    AssignmentTrace,
    CardTrace,
    CodeTrace,
    CreditTrace,
    Trace,
    UnattributedItem,
)
from services.quota.attribution.store import Address, StoredEvent
from services.quota.cards.operations import event_bucket
from services.quota.hospitals.store import Filters, HospitalDay, hospital_by_id, hospitals
from services.quota.programmes.operations import own_hospital, require_programme
from services.quota.programmes.store import Programme
from services.quota.qrcodes.rules import read_scene
from shared.approvals import Applier, Change, propose
from shared.clock import local_day, rfc3339
from shared.db import Tx
from shared.errors import Fault, Forbidden, InvalidRequest, NoLongerFits
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.kit import Kit

ASSIGN = "card_assignment"

_FIRST = (datetime.min.replace(tzinfo=UTC), "")


@dataclass(frozen=True, slots=True)
class Attribution:
    kit: Kit
    service: str

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {ASSIGN: self._apply}

    async def propose(
        self, staff: Staff, slug: str, event_id: str, assignment: Assignment, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound, EventUnknown, NotUnattributed, InvalidRequest (an unknown hospital)."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                programme = await require_programme(tx, slug)
                address = await self._address(tx, programme, event_id)
                if await store.stage_at(tx, address, event_bucket(self.kit.keys.index, event_id)):
                    raise NotUnattributed
                card = await store.card_at(tx, address)
                if card.state != "active" or card.event_id != event_id or card.hospital_id is not None:
                    raise NotUnattributed
                found = await hospital_by_id(tx, assignment.hospital_id)
                if found is None or found[1] != programme.id:
                    fault = Fault("body.hospital_id", "名单中没有这家医院", "hospital_unknown")
                    raise InvalidRequest(faults=(fault,))
                return await propose(
                    tx,
                    staff,
                    service=self.service,
                    kind=ASSIGN,
                    target=slug,
                    body={
                        "event_id": event_id,
                        "hospital_id": found[0].id,
                        "hospital": found[0].name,
                        "reason": assignment.reason,
                    },
                    before={"hospital_id": None},
                    reason=assignment.reason,
                    now=now,
                )

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _apply(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits: a code came meanwhile, or the card was cancelled."""
        programme = await require_programme(tx, change.target)
        event_id = change.body["event_id"]
        fits = await store.assign(
            tx,
            programme.id,
            event_bucket=event_bucket(self.kit.keys.index, event_id),
            event_id=event_id,
            hospital_id=change.body["hospital_id"],
            reason=change.body["reason"],
            change_id=change.id,
            now=self.kit.clock.now(),
        )
        if not fits:
            raise NoLongerFits("该卡已归属医院或已注销。")

    async def unattributed(
        self, slug: str, *, search: str | None, limit: int, after: tuple[datetime, str] | None
    ) -> tuple[list[store.Unattributed], int]:
        """Cards that count for no hospital, oldest first; one more than `limit` if there are more.

        And how many fit the search, which is part of the event's number or of the scene.
        """
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            return await store.unattributed(
                tx, programme.id, search=search, limit=limit + 1, after=after or _FIRST
            )

    async def trace(self, staff: Staff, slug: str, event_id: str) -> Trace:
        """A hospital may trace what came through its codes or counts for it.

        Raises:
            NotFound, EventUnknown, Forbidden.
        """
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            address = await self._address(tx, programme, event_id)
            today = local_day(self.kit.clock.now(), programme.timezone)
            bucket = event_bucket(self.kit.keys.index, event_id)
            stage = await store.stage_at(tx, address, bucket)
            if stage is not None:
                trace, hospitals = await _stage_trace(tx, programme, event_id, stage)
            else:
                trace, hospitals = await _trace(tx, programme, address, today)
        only = own_hospital(staff)
        if only is not None and only not in hospitals:
            raise Forbidden
        return trace

    async def _address(self, tx: Tx, programme: Programme, event_id: str) -> Address:
        bucket = event_bucket(self.kit.keys.index, event_id)
        address = await store.address_of(tx, programme.id, bucket, event_id)
        if address is None:
            raise EventUnknown
        return address


def unattributed_item(card: store.Unattributed) -> UnattributedItem:
    return UnattributedItem(event_id=card.event_id, issued_at=rfc3339(card.opened_at), scene=card.scene)


async def _trace(
    tx: Tx, programme: Programme, address: Address, today: date
) -> tuple[Trace, set[str | None]]:
    """The trace, and the hospitals that it concerns."""
    stored = await store.events_of(tx, address)
    card = await store.card_at(tx, address)
    assigned = await store.assignment_of(tx, address)
    names = await store.hospital_names(tx, programme.id)
    event = next(entry for entry in stored if entry.event_id == address.event_id)
    told = next(
        entry for entry in tell(map(_person_event, stored)) if entry.event.event_id == address.event_id
    )
    opened_by = told.card.opened_by if told.card and told.part != "nothing" else None
    hospital_id = opened_by.hospital_id if opened_by else None
    void = opened_by is not None and await store.is_void(tx, address, opened_by.event_id)
    word = why(told, assigned=assigned is not None)
    scene = read_scene(event.scene) if event.code_hospital_id else None
    code_owner = await store.code_owner(tx, scene)
    line = await line_of(tx, programme, hospital_id, today)
    trace = Trace(
        event_id=address.event_id,
        kind=event.kind,
        at=rfc3339(event.at),
        received_at=rfc3339(event.received_at),
        source=event.source,
        outcome=event.outcome,
        counts=counts_today(told),
        effective=counts_today(told) and not (void and not card.used),
        hospital_id=hospital_id,
        hospital=names.get(hospital_id),
        counts_in_id=line.id if line else None,
        counts_in=line.name if line else None,
        why=word,
        explanation=WHY_ZH[word],
        note=note(
            names.get(hospital_id),
            counts_in=line.name if line and line.id != hospital_id else None,
            handed_on_by=names.get(code_owner) if code_owner != event.code_hospital_id else None,
        ),
        code=await _code_trace(tx, event.scene, event.code_hospital_id, names),
        credits=[_credit_trace(entry, names) for entry in await store.credits_of(tx, address)],
        assignment=_assignment_trace(assigned, names),
        card=CardTrace(
            state=card.state,
            hospital_id=card.hospital_id,
            hospital=names.get(card.hospital_id),
            issued_event_id=card.event_id,
            issued_at=rfc3339(card.opened_at) if card.opened_at else None,
            used=card.used,
        ),
    )
    lines = {line.id} if line else set()
    return trace, {event.code_hospital_id, code_owner, hospital_id, card.hospital_id} | lines


async def line_of(tx: Tx, programme: Programme, hospital_id: str | None, today: date) -> HospitalDay | None:
    """The hospital whose line a hospital's cards are part of today."""
    if hospital_id is None:
        return None
    own = await hospitals(tx, programme.id, today, filters=Filters(only=hospital_id))
    line = await hospitals(tx, programme.id, today, filters=Filters(only=own[0].unit_id))
    return line[0]


async def _stage_trace(
    tx: Tx, programme: Programme, event_id: str, stage: store.Stage
) -> tuple[Trace, set[str | None]]:
    """Of a landing or an application: it counts under its code, and for no card."""
    names = await store.hospital_names(tx, programme.id)
    word: Why = "on_the_way" if stage.hospital_id else "on_the_way_without_code"
    trace = Trace(
        event_id=event_id,
        kind=stage.kind,
        at=rfc3339(stage.at),
        received_at=rfc3339(stage.received_at),
        source=stage.source,
        outcome="counted" if stage.hospital_id else "unattributed",
        counts=False,
        effective=False,
        hospital_id=stage.hospital_id,
        hospital=names.get(stage.hospital_id),
        counts_in_id=None,
        counts_in=None,
        note=None,
        why=word,
        explanation=WHY_ZH[word],
        code=await _code_trace(tx, stage.scene, stage.hospital_id, names),
        credits=[],
        assignment=None,
        card=CardTrace(
            state="none",
            hospital_id=None,
            hospital=None,
            issued_event_id=None,
            issued_at=None,
            used=False,
        ),
    )
    return trace, {stage.hospital_id}


def _person_event(event: StoredEvent) -> PersonEvent:
    return PersonEvent(event.event_id, event.kind, event.at, event.place, event.hospital_id)


async def _code_trace(
    tx: Tx, sent: str | None, hospital_id: str | None, names: Mapping[str | None, str]
) -> CodeTrace | None:
    if sent is None:
        return None
    scene = read_scene(sent)
    replaced_at = await store.code_replaced_at(tx, scene) if scene and hospital_id else None
    return CodeTrace(
        scene=sent,
        hospital_id=hospital_id,
        hospital=names.get(hospital_id),
        replaced_at=rfc3339(replaced_at) if replaced_at else None,
    )


def _credit_trace(credit: store.Credit, names: Mapping[str | None, str]) -> CreditTrace:
    return CreditTrace(
        measure=credit.measure,
        hospital_id=credit.hospital_id or None,
        hospital=names.get(credit.hospital_id),
        day=credit.day.isoformat(),
        n=credit.n,
        recorded_at=rfc3339(credit.recorded_at),
    )


def _assignment_trace(
    assigned: store.Assigned | None, names: Mapping[str | None, str]
) -> AssignmentTrace | None:
    if assigned is None:
        return None
    return AssignmentTrace(
        hospital_id=assigned.hospital_id,
        hospital=names[assigned.hospital_id],
        reason=assigned.reason,
        change_id=str(assigned.change_id),
        assigned_at=rfc3339(assigned.assigned_at),
    )
