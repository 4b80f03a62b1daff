"""Hospitals' codes: drawn for posters, scanned by citizens, replaced while the old ones go on counting."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.quota.hospitals.store import Hospital, hospital_by_id
from services.quota.programmes.operations import own_hospital
from services.quota.qrcodes import store
from services.quota.qrcodes.errors import CodeUnknown
from services.quota.qrcodes.rules import (
    PngForm,
    SvgForm,
    drawn,
    make_scene,
    scan_path,
)
from services.quota.qrcodes.schemas import CodeView, HospitalCodes
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.db import Tx
from shared.errors import Forbidden, NoLongerFits, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import WRITERS, Staff
from shared.ids import random_symbols
from shared.kit import Kit


@dataclass(frozen=True, slots=True)
class QrCodes:
    kit: Kit

    async def draw(
        self, staff: Staff, hospital_id: str, *, origin: str, form: SvgForm | PngForm, scene: str | None
    ) -> bytes:
        """The code in use, or a sub-code's (`scene`). Raises NotFound, Forbidden, CodeUnknown."""
        async with self.kit.database.snapshot() as tx:
            hospital = visible_hospital(staff, await hospital_by_id(tx, hospital_id))
            title = hospital.name if scene is None else await shown_name(tx, hospital, scene)
        address = origin + scan_path(scene or hospital.scene)
        return await asyncio.to_thread(drawn, address, title, form)

    async def codes(self, staff: Staff, hospital_id: str, *, origin: str) -> HospitalCodes:
        """The code in use and those it replaced. Raises NotFound, Forbidden."""
        async with self.kit.database.snapshot() as tx:
            hospital = visible_hospital(staff, await hospital_by_id(tx, hospital_id))
            found = await store.codes_of(tx, hospital_id)
        return HospitalCodes(
            hospital_id=hospital.id,
            hospital=hospital.name,
            items=[
                CodeView(
                    scene=code.scene,
                    url=origin + scan_path(code.scene),
                    created_at=rfc3339(code.created_at),
                    replaced_at=rfc3339(code.replaced_at) if code.replaced_at else None,
                    replaced_reason=code.replaced_reason,
                )
                for code in found
            ],
        )

    async def replace(
        self, staff: Staff, hospital_id: str, scene: str, reason: str, key: RequestKey | None
    ) -> Answer:
        """Puts a new code into use; the old one goes on counting for the same hospital and sub-code.

        A hospital's staff replace those of its sub-codes only: its own is on the bureau's list.

        Raises:
            NotFound, Forbidden, CodeUnknown, NoLongerFits.
        """
        now = self.kit.clock.now()
        fresh = make_scene(random_symbols)
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                found = await hospital_by_id(tx, hospital_id)
                hospital = visible_hospital(staff, found)
                owner = await owner_of(tx, hospital.id, scene)
                if owner.sub_code_id is None and not staff.has(*WRITERS):
                    raise Forbidden
                if not await store.retire_code(tx, hospital.id, scene, reason=reason, now=now):
                    raise NoLongerFits("该二维码已被更换或停用。")
                await store.insert_codes(
                    tx, programme_of(found), [(fresh, hospital.id)], now, sub_code_id=owner.sub_code_id
                )
                entry = AuditEntry(
                    staff.actor,
                    "hospital_code.replace",
                    f"hospital:{hospital.id}",
                    before={"scene": scene},
                    after={"scene": fresh, "sub_code_id": owner.sub_code_id, "reason": reason},
                )
                await record(tx, entry, at=now)
                return {"hospital_id": hospital.id, "scene": fresh, "replaced_scene": scene}

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)


async def owner_of(tx: Tx, hospital_id: str, scene: str) -> store.CodeOwner:
    """Raises CodeUnknown for a code that is none of this hospital's."""
    owner = await store.owner_of(tx, hospital_id, scene)
    if owner is None:
        raise CodeUnknown
    return owner


async def shown_name(tx: Tx, hospital: Hospital, scene: str) -> str:
    """The hospital's name, and whose code it is below it. Raises CodeUnknown for one out of use, too."""
    owner = await owner_of(tx, hospital.id, scene)
    if not owner.in_use:
        raise CodeUnknown
    return hospital.name if owner.label is None else f"{hospital.name}　{owner.label}"


def programme_of(found: tuple[Hospital, UUID] | None) -> UUID:
    """Raises NotFound."""
    if found is None:
        raise NotFound
    return found[1]


def visible_hospital(staff: Staff, found: tuple[Hospital, UUID] | None) -> Hospital:
    """Raises Forbidden for another hospital's staff (whether it exists or not), NotFound."""
    only = own_hospital(staff)
    if only is not None and (found is None or found[0].id != only):
        raise Forbidden
    if found is None:
        raise NotFound
    return found[0]
