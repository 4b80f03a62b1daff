"""Hospitals' levels 级别, by which a bureau may rank them apart."""

import asyncio
import hashlib
from dataclasses import dataclass

from services.quota.hospitalnames.store import names_in_use
from services.quota.hospitals.store import hospitals
from services.quota.levels import store
from services.quota.levels.rules import LEVEL_COLUMNS, changed_levels, read_levels
from services.quota.levels.schemas import HospitalLevel, HospitalLevels
from services.quota.programmes.operations import require_programme
from shared.audit import AuditEntry, record
from shared.documents.reports import ImportReport
from shared.documents.sheets import Table, find_table, read_rows
from shared.documents.templates import workbook_template
from shared.identity.staff import Staff
from shared.kit import Kit

_NOTES = (
    "每行一家医院；医院名称须与名单一致（或为其别名）。",
    "级别为不超过 40 个字的名称，例如 三级、二级、社区卫生服务中心；写法相同的为同一级别。",
    "级别留空的医院将取消原有级别；不在表中的医院不变。",
)


@dataclass(frozen=True, slots=True)
class Levels:
    kit: Kit

    async def levels(self, slug: str) -> HospitalLevels:
        """Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            listed, known = await hospitals(tx, programme.id), await store.levels(tx, programme.id)
        return HospitalLevels(
            items=[
                HospitalLevel(
                    hospital_id=hospital.id,
                    hospital=hospital.name,
                    alliance=hospital.alliance,
                    level=known.get(hospital.id, ""),
                )
                for hospital in listed
            ]
        )

    async def template(self, slug: str) -> bytes:
        """A sheet with every hospital and its level so far. Raises NotFound."""
        listed = (await self.levels(slug)).items
        rows = [{"hospital": one.hospital, "level": one.level} for one in listed]
        return await asyncio.to_thread(workbook_template, LEVEL_COLUMNS, rows, _NOTES)

    async def import_levels(self, staff: Staff, slug: str, content: bytes, *, dry_run: bool) -> ImportReport:
        """Takes the good rows. Months that are frozen keep the levels of their time.

        Raises:
            NotFound, InvalidRequest: the file cannot be read, or has not the columns.
        """
        now, table = self.kit.clock.now(), await asyncio.to_thread(_read, content)
        async with self.kit.database.transaction() as tx:
            programme = await require_programme(tx, slug)
            read = read_levels(table, await names_in_use(tx, programme.id))
            changed = changed_levels(read.levels, await store.levels(tx, programme.id))
            report = ImportReport(
                rows=read.rows,
                accepted=len(changed),
                rejected=read.rejected,
                duplicates=read.rows - read.rejected - len(changed),
                updated=len(changed),
                errors=list(read.faults),
                dry_run=dry_run,
            )
            if changed and not dry_run:
                await store.set_levels(tx, changed, staff_id=staff.id, now=now)
                entry = AuditEntry(
                    staff.actor,
                    "hospital_levels.import",
                    f"programme:{slug}",
                    after={"file_sha256": hashlib.sha256(content).hexdigest(), "levels": changed},
                )
                await record(tx, entry, at=now)
        return report


def _read(content: bytes) -> Table:
    return find_table(read_rows(content), LEVEL_COLUMNS)
