"""What happens to hospitals from a day on: proposed by one, in force when another approves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.quota.cards.rules import AHEAD_MAX
from services.quota.hospitallife import store
from services.quota.hospitallife.rules import (
    Ground,
    LifeEvent,
    Proposed,
    check,
    check_withdrawal,
    told_in_words,
)
from services.quota.hospitallife.schemas import (
    HospitalHistory,
    LifeEventView,
    Withdrawal,
    event_id_of,
    proposed_of,
)
from services.quota.hospitallife.store import Told
from services.quota.hospitalnames.operations import names_view
from services.quota.hospitals.store import Filters, Hospital, hospital_by_id, hospitals
from services.quota.programmes.store import Programme, lock_programme, programme_by_id
from services.quota.qrcodes.operations import programme_of, visible_hospital
from shared.approvals import Applier, Change, propose
from shared.clock import local_day, rfc3339
from shared.db import Tx
from shared.errors import NoLongerFits, NotFound, Refusal
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import READERS, Staff
from shared.identity.store import usernames
from shared.ids import new_id
from shared.kit import Kit

CHANGE = "hospital_change"
WITHDRAW = "hospital_change_withdrawal"


@dataclass(frozen=True, slots=True)
class HospitalLife:
    kit: Kit
    service: str

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {CHANGE: self._apply, WITHDRAW: self._apply_withdrawal}

    async def propose(self, staff: Staff, proposed: Proposed, reason: str, key: RequestKey | None) -> Answer:
        """Raises NotFound, or why it cannot happen then (hospitallife/errors)."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                hospital, programme = await _found(tx, proposed.hospital_id)
                ground = await self._ground(tx, programme, proposed.day)
                check(proposed, ground)
                return await propose(
                    tx,
                    staff,
                    service=self.service,
                    kind=CHANGE,
                    target=programme.slug,
                    body=await _body(tx, programme, hospital, proposed, reason),
                    before={"alliance": ground.alliances[hospital.id]},
                    reason=reason,
                    now=now,
                )

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _apply(self, tx: Tx, change: Change) -> None:
        """Writes the event while no batch is counted and no month frozen. Raises NoLongerFits."""
        programme = await _locked(tx, change)
        proposed = proposed_of(change.body)
        ground = await self._ground(tx, programme, proposed.day)
        try:
            check(proposed, ground)
        except Refusal as refusal:
            raise NoLongerFits(refusal.detail("zh")) from refusal
        await self._write(tx, programme, change, proposed)

    async def propose_withdrawal(
        self, staff: Staff, hospital_id: str, event_id: UUID, body: Withdrawal, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound, LifeEventUnknown, DayFrozen, LifeEventNeeded, CodesHandedOnTooLate."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                hospital, programme = await _found(tx, hospital_id)
                ground = await self._ground(tx, programme, date.max)
                event = check_withdrawal(event_id, hospital_id, ground)
                told = await _body(tx, programme, hospital, _as_proposed(event), body.reason)
                return await propose(
                    tx,
                    staff,
                    service=self.service,
                    kind=WITHDRAW,
                    target=programme.slug,
                    body={"event_id": str(event_id), **told},
                    before={"in_force": True},
                    reason=body.reason,
                    now=now,
                )

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _apply_withdrawal(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits."""
        programme = await _locked(tx, change)
        ground = await self._ground(tx, programme, date.max)
        try:
            event = check_withdrawal(event_id_of(change.body), change.body["hospital_id"], ground)
        except Refusal as refusal:
            raise NoLongerFits(refusal.detail("zh")) from refusal
        await self._write(tx, programme, change, _as_proposed(event), withdraws=event.id)

    async def history(self, staff: Staff, hospital_id: str) -> HospitalHistory:
        """Names and dated changes, also those taken back. Raises NotFound, Forbidden (another hospital's)."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            found = await hospital_by_id(tx, hospital_id)
            hospital = visible_hospital(staff, found)
            programme = await _programme(tx, programme_of(found))
            today = local_day(now, programme.timezone)
            standing = await hospitals(tx, programme.id, today, filters=Filters(only=hospital_id))
            created_at, listed_alliance = await store.listed(tx, hospital_id)
            names = await names_view(tx, hospital_id)
            events = await store.told(tx, hospital_id)
            told_by = {event.proposed_by for event in events} | {event.approved_by for event in events}
            who = await usernames(tx, told_by) if staff.has(*READERS) else {}
        today_standing = standing[0]
        return HospitalHistory(
            hospital_id=hospital.id,
            hospital=hospital.name,
            programme=programme.slug,
            as_of=rfc3339(now),
            state=today_standing.state,
            alliance=today_standing.alliance,
            listed_alliance=listed_alliance,
            counts_in=None if today_standing.has_line else today_standing.unit_id,
            created_at=rfc3339(created_at),
            names=names,
            events=[_event_view(event, who) for event in events],
        )

    async def _ground(self, tx: Tx, programme: Programme, day: date) -> Ground:
        standing = await hospitals(tx, programme.id, day)
        # Times of events may lie a little ahead of ours: what is counted by then counts as today's.
        latest = self.kit.clock.now() + AHEAD_MAX
        return Ground(
            today=local_day(latest, programme.timezone),
            frozen_through=programme.frozen_through,
            alliances={entry.id: entry.alliance for entry in standing},
            events=await store.events_in_force(tx, programme.id),
        )

    async def _write(
        self,
        tx: Tx,
        programme: Programme,
        change: Change,
        proposed: Proposed,
        *,
        withdraws: UUID | None = None,
    ) -> None:
        kept = withdraws is None
        row = {
            "id": new_id(),
            "programme_id": programme.id,
            "hospital_id": proposed.hospital_id,
            "kind": proposed.kind if kept else "withdraw",
            "day": proposed.day,
            "successor_id": proposed.successor_id if kept else None,
            "alliance": proposed.alliance if kept else None,
            "withdraws": withdraws,
            "reason": change.body["reason"],
            "change_id": change.id,
            "recorded_at": self.kit.clock.now(),
        }
        await store.insert_event(tx, row)


async def _found(tx: Tx, hospital_id: str) -> tuple[Hospital, Programme]:
    """Raises NotFound."""
    found = await hospital_by_id(tx, hospital_id)
    programme_id = programme_of(found)
    if found is None:
        raise NotFound
    return found[0], await _programme(tx, programme_id)


async def _programme(tx: Tx, programme_id: UUID) -> Programme:
    programme = await programme_by_id(tx, programme_id)
    if programme is None:
        raise NotFound
    return programme


async def _locked(tx: Tx, change: Change) -> Programme:
    programme = await lock_programme(tx, change.target)
    if programme is None:
        raise NotFound
    return programme


async def _body(
    tx: Tx, programme: Programme, hospital: Hospital, proposed: Proposed, reason: str
) -> dict[str, Any]:
    """What the approver sees."""
    successor = None
    if proposed.successor_id is not None:
        found = await hospital_by_id(tx, proposed.successor_id)
        successor = found[0].name if found is not None and found[1] == programme.id else None
    return {
        "kind": proposed.kind,
        "hospital_id": hospital.id,
        "hospital": hospital.name,
        "on": proposed.day.isoformat(),
        "successor_id": proposed.successor_id,
        "successor": successor,
        "alliance": proposed.alliance,
        "reason": reason,
    }


def _as_proposed(event: LifeEvent) -> Proposed:
    return Proposed(
        event.kind,
        event.hospital_id,
        event.day,
        successor_id=event.successor_id,
        alliance=event.alliance,
    )


def _event_view(event: Told, who: Mapping[UUID, str]) -> LifeEventView:
    return LifeEventView(
        event_id=str(event.id),
        kind=event.kind,
        on=event.day.isoformat(),
        successor_id=event.successor_id,
        successor=event.successor,
        alliance=event.alliance,
        reason=event.reason,
        change_id=str(event.change_id),
        recorded_at=rfc3339(event.recorded_at),
        proposed_by=who.get(event.proposed_by),
        approved_by=who.get(event.approved_by),
        withdrawn_at=rfc3339(event.withdrawn_at) if event.withdrawn_at else None,
        withdrawn_reason=event.withdrawn_reason,
        explanation=told_in_words(event.kind, event.day, event.successor, event.alliance),
    )
