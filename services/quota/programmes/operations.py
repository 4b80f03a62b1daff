"""Programmes and their hospitals: made once, filled from the bureau's list."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.quota.programmes import store
from services.quota.programmes.errors import ProgrammeExists
from services.quota.programmes.rules import HOSPITAL_COLUMNS, HospitalList, changed_lines, read_hospitals
from services.quota.programmes.schemas import (
    HospitalItem,
    IssuedBeforeView,
    ProgrammeDefinition,
    ProgrammeView,
)
from services.quota.programmes.store import NewHospital, Programme
from services.quota.qrcodes.rules import make_scene
from services.quota.qrcodes.store import insert_codes
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.db import Tx, retried
from shared.documents.reports import ImportReport
from shared.documents.sheets import find_table, read_rows
from shared.errors import Forbidden, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import READERS, Staff
from shared.ids import new_id, random_symbols, short_id
from shared.kit import Kit

_HOSPITALS_FILE = "hospitals"


@dataclass(frozen=True, slots=True)
class Programmes:
    kit: Kit

    async def create(self, staff: Staff, definition: ProgrammeDefinition, key: RequestKey | None) -> Answer:
        """Raises ProgrammeExists."""
        now = self.kit.clock.now()
        row = _row(definition, staff, now)

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                if not await store.insert_programme(tx, row):
                    raise ProgrammeExists
                entry = AuditEntry(
                    staff.actor,
                    "programme.create",
                    f"programme:{definition.slug}",
                    after=row["definition"],
                )
                await record(tx, entry, at=now)
                return _view(await require_programme(tx, definition.slug)).model_dump()

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def view(self, slug: str) -> ProgrammeView:
        """Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            return _view(await require_programme(tx, slug))

    async def page(self, *, limit: int, after: str | None) -> list[ProgrammeView]:
        """Newest first, from behind that slug; one more than `limit` if there are more."""
        async with self.kit.database.snapshot() as tx:
            found = await store.programmes(tx)
        slugs = [programme.slug for programme in found]
        start = slugs.index(after) + 1 if after in slugs else 0
        return [_view(programme) for programme in found[start : start + limit + 1]]

    async def import_hospitals(
        self, staff: Staff, slug: str, content: bytes, *, dry_run: bool
    ) -> ImportReport:
        """Takes the good rows: new hospitals get a code, known ones (by name) are updated.

        Raises:
            NotFound, InvalidRequest: the file cannot be read, or has not the columns.
        """
        listed = await asyncio.to_thread(_read, content)
        digest = hashlib.sha256(content).digest()
        if dry_run:
            return await self._foresee(slug, listed, digest)
        return await self._take(staff, slug, listed, digest)

    async def _foresee(self, slug: str, listed: HospitalList, digest: bytes) -> ImportReport:
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            known = await store.known_hospitals(tx, programme.id)
            already = await store.was_imported(tx, programme.id, _HOSPITALS_FILE, digest)
        new, changed = changed_lines(listed.lines, known)
        return _report(listed, new=len(new), updated=len(changed), already_imported=already, dry_run=True)

    @retried
    async def _take(self, staff: Staff, slug: str, listed: HospitalList, digest: bytes) -> ImportReport:
        now = self.kit.clock.now()
        async with self.kit.database.transaction(slow=True) as tx:
            programme = await require_programme(tx, slug)
            already = await store.was_imported(tx, programme.id, _HOSPITALS_FILE, digest)
            proposed = [NewHospital(id=short_id("hos_"), line=line) for line in listed.lines]
            written = await store.upsert_hospitals(tx, programme.id, proposed, now)
            inserted = [entry.id for entry in proposed if entry.id in written]
            codes = [(make_scene(random_symbols), hospital_id) for hospital_id in inserted]
            await insert_codes(tx, programme.id, codes, now)
            await store.remember_file(tx, programme.id, _HOSPITALS_FILE, digest, staff_id=staff.id, now=now)
            report = _report(
                listed,
                new=len(inserted),
                updated=len(written) - len(inserted),
                already_imported=already,
                dry_run=False,
            )
            entry = AuditEntry(
                staff.actor,
                "programme.hospitals.import",
                f"programme:{slug}",
                after={"file_sha256": digest.hex(), **report.model_dump(exclude={"errors"})},
            )
            await record(tx, entry, at=now)
        return report

    async def hospitals(self, staff: Staff, slug: str, *, limit: int, after: int) -> list[store.Hospital]:
        """In the order of the list, one more than `limit` if there are more; a hospital sees itself.

        Raises:
            NotFound, Forbidden.
        """
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            only = own_hospital(staff)
            found = await store.hospitals(tx, programme.id, limit=limit + 1, after=after, only=only)
        if only is not None and not found and after == 0:
            raise Forbidden
        return found


async def require_programme(tx: Tx, slug: str) -> Programme:
    """Raises NotFound."""
    programme = await store.programme_by_slug(tx, slug)
    if programme is None:
        raise NotFound
    return programme


def own_hospital(staff: Staff) -> str | None:
    """The one hospital that this staff member may see; None for those who see all."""
    return None if staff.has(*READERS) else staff.hospital_id


def hospital_item(hospital: store.Hospital) -> HospitalItem:
    return HospitalItem(
        hospital_id=hospital.id,
        hospital=hospital.name,
        alliance=hospital.alliance,
        visits=hospital.visits,
        scene=hospital.scene,
    )


def _read(content: bytes) -> HospitalList:
    return read_hospitals(find_table(read_rows(content), HOSPITAL_COLUMNS))


def _report(
    listed: HospitalList, *, new: int, updated: int, already_imported: bool, dry_run: bool
) -> ImportReport:
    accepted = new + updated
    return ImportReport(
        rows=listed.rows,
        accepted=accepted,
        rejected=listed.rejected,
        duplicates=listed.rows - listed.rejected - accepted,
        updated=updated,
        errors=list(listed.faults),
        already_imported=already_imported,
        dry_run=dry_run,
    )


def _row(definition: ProgrammeDefinition, staff: Staff, now: datetime) -> dict[str, Any]:
    before = definition.issued_before
    return {
        "id": new_id(),
        "slug": definition.slug,
        "title": definition.title,
        "timezone": definition.timezone,
        "target_cards": definition.target_cards,
        "issued_before_cards": before.cards if before else 0,
        "landing_url": definition.landing_url,
        "ends_on": definition.ends_on,
        "definition": definition.model_dump(mode="json", exclude={"request_no"}, exclude_none=True),
        "created_by": staff.id,
        "created_at": now,
    }


def _view(programme: Programme) -> ProgrammeView:
    definition = programme.definition
    return ProgrammeView(
        slug=programme.slug,
        title=programme.title,
        timezone=programme.timezone,
        target_cards=programme.target_cards,
        issued_before=IssuedBeforeView(
            as_of=definition.get("issued_before", {}).get("as_of"), cards=programme.issued_before_cards
        ),
        remaining_exact=max(0, programme.target_cards - programme.issued_before_cards),
        allocation_total=definition.get("allocation_total"),
        landing_url=programme.landing_url,
        ends_on=programme.ends_on.isoformat() if programme.ends_on else None,
        slogan=definition.get("slogan"),
        frozen_through=programme.frozen_through.isoformat() if programme.frozen_through else None,
        created_at=rfc3339(programme.created_at),
    )
