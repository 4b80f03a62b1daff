"""Codes of departments, channels and staff below a hospital: made, retired, counted; all count for it."""

from dataclasses import dataclass
from typing import Any

from services.quota.hospitals.store import hospital_by_id
from services.quota.qrcodes.errors import CodeUnknown
from services.quota.qrcodes.operations import owner_of, programme_of, visible_hospital
from services.quota.qrcodes.rules import make_scene, scan_path
from services.quota.qrcodes.store import insert_codes, retire_code
from services.quota.subcodes import store
from services.quota.subcodes.errors import SubCodeLabelTaken, SubCodesFull
from services.quota.subcodes.rules import IN_USE_MAX, Counts, added
from services.quota.subcodes.schemas import CountsView, NewSubCode, SubCodeItem, SubCodeTable
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.errors import NoLongerFits
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import random_symbols, short_id
from shared.kit import Kit


@dataclass(frozen=True, slots=True)
class SubCodes:
    kit: Kit

    async def make(self, staff: Staff, hospital_id: str, new: NewSubCode, key: RequestKey | None) -> Answer:
        """Raises NotFound, Forbidden (another hospital's staff), SubCodesFull, SubCodeLabelTaken."""
        now = self.kit.clock.now()
        scene, sub_code_id = make_scene(random_symbols), short_id("sub_")
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                found = await hospital_by_id(tx, hospital_id)
                hospital = visible_hospital(staff, found)
                await store.lock_hospital(tx, hospital.id)
                if await store.in_use(tx, hospital.id) >= IN_USE_MAX:
                    raise SubCodesFull
                made = await store.insert_sub_code(
                    tx,
                    sub_code_id=sub_code_id,
                    hospital_id=hospital.id,
                    kind=new.kind,
                    label=new.label,
                    staff_id=staff.id,
                    now=now,
                )
                if not made:
                    raise SubCodeLabelTaken
                codes = [(scene, hospital.id)]
                await insert_codes(tx, programme_of(found), codes, now, sub_code_id=sub_code_id)
                # Without the label: it may name a person.
                after = {"sub_code_id": sub_code_id, "kind": new.kind, "scene": scene}
                entry = AuditEntry(staff.actor, "sub_code.create", f"hospital:{hospital.id}", after=after)
                await record(tx, entry, at=now)
                return {
                    "sub_code_id": sub_code_id,
                    "hospital_id": hospital.id,
                    "kind": new.kind,
                    "label": new.label,
                    "scene": scene,
                }

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def retire(
        self, staff: Staff, hospital_id: str, scene: str, reason: str, key: RequestKey | None
    ) -> Answer:
        """Takes a sub-code out of use; what hangs on walls goes on counting.

        Raises:
            NotFound, Forbidden.
            CodeUnknown: no sub-code's; a hospital's own code is replaced, never retired.
            NoLongerFits: replaced or retired already.
        """
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                hospital = visible_hospital(staff, await hospital_by_id(tx, hospital_id))
                owner = await owner_of(tx, hospital.id, scene)
                if owner.sub_code_id is None:
                    raise CodeUnknown
                if not await retire_code(tx, hospital.id, scene, reason=reason, now=now):
                    raise NoLongerFits("该二维码已被更换或停用。")
                await store.retire_sub_code(tx, owner.sub_code_id, reason=reason, now=now)
                after = {"sub_code_id": owner.sub_code_id, "reason": reason}
                entry = AuditEntry(staff.actor, "sub_code.retire", f"hospital:{hospital.id}", after=after)
                await record(tx, entry, at=now)
                return {"sub_code_id": owner.sub_code_id, "scene": scene, "retired_at": rfc3339(now)}

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def table(self, staff: Staff, hospital_id: str, *, origin: str) -> SubCodeTable:
        """Every sub-code with what all of its codes came to. Raises NotFound, Forbidden."""
        async with self.kit.database.snapshot() as tx:
            found = await hospital_by_id(tx, hospital_id)
            hospital = visible_hospital(staff, found)
            listed = await store.sub_codes(tx, hospital.id)
            own = await store.own_scenes(tx, hospital.id)
            counts = await store.counts_by_scene(tx, programme_of(found), hospital.id)
        return SubCodeTable(
            hospital_id=hospital.id,
            hospital=hospital.name,
            items=[_item(sub_code, counts, origin) for sub_code in listed],
            own=_counts(added(counts, own)),
            uncoded=_counts(added(counts, [""])),
            total=_counts(added(counts, counts)),
        )


def _item(sub_code: store.SubCode, counts: dict[str, Counts], origin: str) -> SubCodeItem:
    scenes = [*sub_code.replaced, *([sub_code.scene] if sub_code.scene else [])]
    counted = added(counts, scenes)
    return SubCodeItem(
        sub_code_id=sub_code.id,
        kind=sub_code.kind,
        label=sub_code.label,
        scene=sub_code.scene,
        url=origin + scan_path(sub_code.scene) if sub_code.scene else None,
        replaced=list(sub_code.replaced),
        created_at=rfc3339(sub_code.created_at),
        retired_at=rfc3339(sub_code.retired_at) if sub_code.retired_at else None,
        retired_reason=sub_code.retired_reason,
        scans=counted.scans,
        issued=counted.issued,
        used=counted.used,
    )


def _counts(counts: Counts) -> CountsView:
    return CountsView(scans=counts.scans, issued=counts.issued, used=counts.used)
