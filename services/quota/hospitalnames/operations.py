"""Names of hospitals: former ones and aliases, so that every file finds whom it means; none is guessed."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.quota.hospitalnames import store
from services.quota.hospitalnames.errors import HospitalNameTaken, HospitalNameUnknown
from services.quota.hospitalnames.rules import Near, name_key
from services.quota.hospitalnames.schemas import (
    HospitalNames,
    Match,
    Matches,
    NameGone,
    NamesToMatch,
    NameView,
    NearMatch,
    NewName,
)
from services.quota.hospitals.store import Hospital, hospital_by_id
from services.quota.programmes.operations import require_programme
from services.quota.qrcodes.operations import programme_of, visible_hospital
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.db import Tx
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.kit import Kit


@dataclass(frozen=True, slots=True)
class HospitalNaming:
    kit: Kit

    async def names(self, staff: Staff, hospital_id: str) -> HospitalNames:
        """All names that the hospital ever had. Raises NotFound, Forbidden."""
        async with self.kit.database.snapshot() as tx:
            visible_hospital(staff, await hospital_by_id(tx, hospital_id))
            return await _view(tx, hospital_id)

    async def add(self, staff: Staff, hospital_id: str, body: NewName, key: RequestKey | None) -> Answer:
        """Gives a hospital a further name, or renames it. Raises NotFound, HospitalNameTaken."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                found = await hospital_by_id(tx, hospital_id)
                programme_id = programme_of(found)
                hospital = visible_hospital(staff, found)
                await store.lock_names(tx, programme_id)
                names = await store.names_in_use(tx, programme_id)
                stamp = store.Stamp(staff.id, now, body.reason)
                own = names.has(body.name) and names.find(body.name) == hospital.id
                # A hospital may take a name that it has already as its current one; nothing else is free.
                if names.has(body.name) and not (own and body.kind == "current"):
                    raise HospitalNameTaken(names.owner(body.name))
                if body.kind == "current":
                    await _rename(tx, programme_id, hospital, body.name, stamp, own=own)
                named = [(hospital.id, body.name)]
                await store.insert_names(tx, programme_id, named, kind=body.kind, stamp=stamp)
                entry = AuditEntry(
                    staff.actor,
                    "hospital_name.add",
                    f"hospital:{hospital.id}",
                    before={"hospital": hospital.name},
                    after={"name": body.name, "kind": body.kind, "reason": body.reason},
                )
                await record(tx, entry, at=now)
                return (await _view(tx, hospital.id)).model_dump()

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def withdraw(
        self, staff: Staff, hospital_id: str, body: NameGone, key: RequestKey | None
    ) -> Answer:
        """Takes an alias or a former name back: files no longer find the hospital by it.

        Raises:
            NotFound, HospitalNameUnknown.
        """
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                found = await hospital_by_id(tx, hospital_id)
                hospital = visible_hospital(staff, found)
                stamp = store.Stamp(staff.id, now, body.reason)
                if not await store.withdraw_name(tx, hospital.id, body.name, stamp):
                    raise HospitalNameUnknown
                entry = AuditEntry(
                    staff.actor,
                    "hospital_name.withdraw",
                    f"hospital:{hospital.id}",
                    before={"name": body.name},
                    after={"reason": body.reason},
                )
                await record(tx, entry, at=now)
                return (await _view(tx, hospital.id)).model_dump()

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def match(self, slug: str, body: NamesToMatch) -> Matches:
        """Who is meant by each name, or who might be. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            names = await store.names_in_use(tx, programme.id)
        return Matches(
            items=[
                Match(
                    name=name,
                    hospital_id=names.find(name),
                    hospital=names.owner(name),
                    near_matches=[] if names.find(name) else [near_match(near) for near in names.near(name)],
                )
                for name in body.names
            ]
        )


async def _rename(
    tx: Tx, programme_id: UUID, hospital: Hospital, name: str, stamp: store.Stamp, *, own: bool
) -> None:
    """Makes room for the new current name: the one until now becomes a former one."""
    if own:
        await store.drop_spelling(tx, hospital.id, name, stamp)
    same_key = name_key(name) == name_key(hospital.name)
    if not same_key and not await store.retire_current(tx, hospital.id):
        former = [(hospital.id, hospital.name)]
        await store.insert_names(tx, programme_id, former, kind="former", stamp=stamp)
    await store.rename(tx, hospital.id, name, stamp.at)


def near_match(near: Near) -> NearMatch:
    return NearMatch(
        hospital_id=near.hospital_id, hospital=near.hospital, matched=near.name, score=near.score
    )


async def names_view(tx: Tx, hospital_id: str) -> list[NameView]:
    """All names that the hospital ever had, in the order in which they were given."""
    return [
        NameView(
            name=name.name,
            kind=name.kind,
            reason=name.reason,
            added_at=rfc3339(name.added_at),
            withdrawn_at=rfc3339(name.withdrawn_at) if name.withdrawn_at else None,
            withdrawn_reason=name.withdrawn_reason,
        )
        for name in await store.names_of(tx, [hospital_id])
    ]


async def _view(tx: Tx, hospital_id: str) -> HospitalNames:
    """Raises NotFound."""
    found = await hospital_by_id(tx, hospital_id)
    programme_of(found)
    hospital = "" if found is None else found[0].name
    return HospitalNames(hospital_id=hospital_id, hospital=hospital, names=await names_view(tx, hospital_id))
