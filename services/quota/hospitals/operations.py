"""A programme's hospitals: listed as they stand on a day, added one by one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.quota.hospitalnames import store as names_store
from services.quota.hospitalnames.errors import HospitalNameTaken
from services.quota.hospitalnames.operations import near_match
from services.quota.hospitalnames.rules import name_key, near_text
from services.quota.hospitals import store
from services.quota.hospitals.errors import MaybeKnown
from services.quota.hospitals.rules import State, hospitals_paper
from services.quota.hospitals.schemas import HospitalItem, NewHospitalBody
from services.quota.hospitals.store import Filters, HospitalDay, NewHospital
from services.quota.programmes.operations import own_hospital, require_programme
from services.quota.programmes.store import Programme
from services.quota.qrcodes.rules import make_scene
from services.quota.qrcodes.store import insert_codes
from shared.audit import AuditEntry, record
from shared.clock import local_day
from shared.db import Tx
from shared.documents.workbooks import workbook
from shared.errors import Forbidden
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import random_symbols, short_id
from shared.kit import Kit


@dataclass(frozen=True, slots=True)
class Asked:
    """Which hospitals a list shows, as of which day (None: today)."""

    alliance: str | None = None
    state: State | None = None
    search: str | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Hospitals:
    kit: Kit

    async def create(self, staff: Staff, slug: str, body: NewHospitalBody, key: RequestKey | None) -> Answer:
        """Raises NotFound, HospitalNameTaken, MaybeKnown (unless it was confirmed to be new)."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                programme = await require_programme(tx, slug)
                await names_store.lock_names(tx, programme.id)
                names = await names_store.names_in_use(tx, programme.id)
                if names.has(body.hospital):
                    raise HospitalNameTaken(names.owner(body.hospital))
                near = [] if body.confirmed_new else names.near(body.hospital)
                if near:
                    matches = [near_match(entry).model_dump() for entry in near]
                    raise MaybeKnown(near_text(near), extra={"near_matches": matches})
                made = NewHospital(short_id("hos_"), body.hospital, body.alliance, body.visits)
                scenes = await insert_all(tx, staff, programme.id, [made], reason=body.reason, now=now)
                answer = {
                    "hospital_id": made.id,
                    "hospital": made.name,
                    "alliance": made.alliance,
                    "visits": made.visits,
                    "scene": scenes[0],
                }
                entry = AuditEntry(
                    staff.actor,
                    "hospital.create",
                    f"hospital:{made.id}",
                    after={**answer, "programme": slug, "reason": body.reason},
                )
                await record(tx, entry, at=now)
                return answer

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def page(
        self, staff: Staff, slug: str, asked: Asked, *, limit: int, after: int
    ) -> tuple[list[HospitalDay], int]:
        """In the order of the list, one more than `limit` if there are more, and how many fit in all.

        A hospital sees itself.

        Raises:
            NotFound, Forbidden.
        """
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            only = own_hospital(staff)
            day, filters = self._day(programme, asked), _filters(asked, only)
            found = await store.hospitals(
                tx, programme.id, day, limit=limit + 1, after=after, filters=filters
            )
            total = await store.count(tx, programme.id, day, filters)
            own = only is None or bool(found) or await store.belongs(tx, programme.id, only)
        if not own:
            raise Forbidden
        return found, total

    async def workbook(self, slug: str, asked: Asked) -> bytes:
        """The list as Excel, with all names. Raises NotFound."""
        async with self.kit.database.snapshot(slow=True) as tx:
            programme = await require_programme(tx, slug)
            day = self._day(programme, asked)
            found = await store.hospitals(tx, programme.id, day, filters=_filters(asked, None))
            names = await names_store.names_of(tx, [entry.id for entry in found])
            everybody = await store.hospitals(tx, programme.id, day)
        paper = hospitals_paper(
            programme.title,
            day,
            found,
            names,
            {entry.id: entry.name for entry in everybody},
            demo=self.kit.settings.demo,
        )
        return await asyncio.to_thread(workbook, [paper])

    def _day(self, programme: Programme, asked: Asked) -> date:
        return asked.day or local_day(self.kit.clock.now(), programme.timezone)


async def insert_all(
    tx: Tx, staff: Staff, programme_id: UUID, new: Sequence[NewHospital], *, reason: str | None, now: datetime
) -> list[str]:
    """Writes new hospitals, each with its name and a code; returns the codes. The caller holds the names."""
    await store.insert_hospitals(tx, programme_id, new, now)
    named = [(entry.id, entry.name) for entry in new]
    stamp = names_store.Stamp(staff.id, now, reason)
    await names_store.insert_names(tx, programme_id, named, kind="current", stamp=stamp)
    scenes = [make_scene(random_symbols) for _ in new]
    codes = [(scene, entry.id) for scene, entry in zip(scenes, new, strict=True)]
    await insert_codes(tx, programme_id, codes, now)
    return scenes


def hospital_item(hospital: HospitalDay) -> HospitalItem:
    return HospitalItem(
        hospital_id=hospital.id,
        hospital=hospital.name,
        alliance=hospital.alliance,
        visits=hospital.visits,
        scene=hospital.scene,
        state=hospital.state,
        opened_on=hospital.opened_on.isoformat() if hospital.opened_on else None,
        ended_on=hospital.ended_on.isoformat() if hospital.ended_on else None,
        successor_id=hospital.successor_id,
        counts_in=None if hospital.has_line else hospital.unit_id,
    )


def _filters(asked: Asked, only: str | None) -> Filters:
    search = name_key(asked.search) if asked.search else None
    return Filters(only=only, alliance=asked.alliance, state=asked.state, search=search or None)
