"""Hospitals' codes: drawn for posters, scanned by citizens, replaced while the old ones go on counting."""

import asyncio
from dataclasses import dataclass
from typing import Any

from services.quota.programmes.operations import own_hospital
from services.quota.programmes.store import Hospital, hospital_by_id
from services.quota.qrcodes import store
from services.quota.qrcodes.drawings import PngForm, SvgForm, drawn
from services.quota.qrcodes.errors import CodeUnknown
from services.quota.qrcodes.rules import landing_address, make_scene, read_scene, scan_path
from services.quota.qrcodes.schemas import CodeView, HospitalCodes
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.errors import Forbidden, NoLongerFits, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import random_symbols
from shared.kit import Kit


@dataclass(frozen=True, slots=True)
class QrCodes:
    kit: Kit

    async def scan(self, sent: str) -> str:
        """Counts a scan and returns where it leads. Raises CodeUnknown."""
        scene = read_scene(sent)
        landing_url = (
            None if scene is None else await store.count_scan(self.kit.database, scene, self.kit.clock.now())
        )
        if scene is None or landing_url is None:
            raise CodeUnknown
        return landing_address(landing_url, scene)

    async def draw(self, staff: Staff, hospital_id: str, *, origin: str, form: SvgForm | PngForm) -> bytes:
        """The code in use. Raises NotFound, Forbidden."""
        async with self.kit.database.snapshot() as tx:
            hospital = visible_hospital(staff, await hospital_by_id(tx, hospital_id))
        return await asyncio.to_thread(drawn, origin + scan_path(hospital.scene), hospital.name, form)

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

    async def replace(self, staff: Staff, hospital_id: str, reason: str, key: RequestKey | None) -> Answer:
        """Puts a new code into use; the old one goes on counting for the hospital. Raises NotFound."""
        now = self.kit.clock.now()
        scene = make_scene(random_symbols)
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                found = await hospital_by_id(tx, hospital_id)
                if found is None:
                    raise NotFound
                hospital, programme_id = found
                old = await store.retire_code(tx, hospital.id, reason=reason, now=now)
                if old is None:
                    raise NoLongerFits("该二维码刚刚已被更换。")
                await store.insert_codes(tx, programme_id, [(scene, hospital.id)], now)
                entry = AuditEntry(
                    staff.actor,
                    "hospital_code.replace",
                    f"hospital:{hospital.id}",
                    before={"scene": old},
                    after={"scene": scene, "reason": reason},
                )
                await record(tx, entry, at=now)
                return {"hospital_id": hospital.id, "scene": scene, "replaced_scene": old}

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)


def visible_hospital(staff: Staff, found: tuple[Hospital, Any] | None) -> Hospital:
    """Raises Forbidden for another hospital's staff (whether it exists or not), NotFound."""
    only = own_hospital(staff)
    if only is not None and (found is None or found[0].id != only):
        raise Forbidden
    if found is None:
        raise NotFound
    return found[0]
