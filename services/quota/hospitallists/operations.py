"""Takes hospitals from the bureau's list: known by any of their names, new ones only where none is near."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from services.quota.hospitallists.rules import (
    HOSPITAL_COLUMNS,
    HospitalList,
    Judged,
    Known,
    RowFault,
    Wishes,
    confirmed_lines,
    judge,
    read_hospitals,
    spelled,
)
from services.quota.hospitallists.schemas import HospitalFault, HospitalImportReport
from services.quota.hospitalnames import store as names_store
from services.quota.hospitalnames.operations import near_match
from services.quota.hospitalnames.rules import Names
from services.quota.hospitals import store
from services.quota.hospitals.operations import insert_all
from services.quota.hospitals.store import NewHospital
from services.quota.programmes.operations import require_programme
from services.quota.programmes.store import Programme, remember_file, was_imported
from shared.audit import AuditEntry, record
from shared.clock import local_day
from shared.db import Tx, retried
from shared.documents.reports import ERRORS_MAX
from shared.documents.sheets import find_table, read_rows
from shared.documents.templates import workbook_template
from shared.errors import Fault, InvalidRequest
from shared.identity.staff import Staff
from shared.ids import short_id
from shared.kit import Kit

_FILE = "hospitals"


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known before a file is taken."""

    names: Names
    known: Mapping[str, Known]
    already: bool


_EXAMPLES = (
    {"alliance": "示例医共体", "hospital": "示例·市人民医院", "visits": "128000"},
    {"alliance": "", "hospital": "示例·独立门诊部", "visits": "3600"},
)
_NOTES = (
    "每行一家医院；示例行请删除。",
    "医共体留空：独立单位，自成一个考核单位。",
    "诊疗人次为整数；已有医院按名称或别名识别并更新，名称相近时会逐行询问是否同一家。",
    "别名用顿号分隔，导入时勾选“同时读取别名”才生效。",
)


@dataclass(frozen=True, slots=True)
class HospitalLists:
    kit: Kit

    async def template(self, slug: str) -> bytes:
        """The sheet that the import understands, with two examples. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            await require_programme(tx, slug)
        return await asyncio.to_thread(workbook_template, HOSPITAL_COLUMNS, _EXAMPLES, _NOTES)

    async def take(
        self, staff: Staff, slug: str, content: bytes, wishes: Wishes, *, dry_run: bool
    ) -> HospitalImportReport:
        """Takes the good rows: new hospitals get a code, known ones (by any name) are updated.

        Raises:
            NotFound, InvalidRequest: the file cannot be read, or has not the columns or the confirmed rows.
        """
        listed = await asyncio.to_thread(_read, content)
        missing = confirmed_lines(wishes.confirmed, listed)
        if missing:
            message = f"第 {missing[0]} 行不在可导入的行中"
            raise InvalidRequest(faults=(Fault("confirm", message, "confirmation_unknown"),))
        digest = hashlib.sha256(content).digest()
        if dry_run:
            return await self._foresee(slug, listed, wishes, digest)
        return await self._take(staff, slug, listed, wishes, digest)

    async def _foresee(
        self, slug: str, listed: HospitalList, wishes: Wishes, digest: bytes
    ) -> HospitalImportReport:
        async with self.kit.database.snapshot(slow=True) as tx:
            seen = await self._look(tx, await require_programme(tx, slug), digest)
        listed, notes = spelled(listed, [entry.alliance for entry in seen.known.values()])
        judged = await asyncio.to_thread(judge, listed, seen.names, seen.known, wishes)
        return _report(listed, judged, notes, already_imported=seen.already, dry_run=True)

    @retried
    async def _take(
        self, staff: Staff, slug: str, listed: HospitalList, wishes: Wishes, digest: bytes
    ) -> HospitalImportReport:
        now = self.kit.clock.now()
        async with self.kit.database.transaction(slow=True) as tx:
            programme = await require_programme(tx, slug)
            await names_store.lock_names(tx, programme.id)
            seen = await self._look(tx, programme, digest)
            listed, notes = spelled(listed, [entry.alliance for entry in seen.known.values()])
            judged = await asyncio.to_thread(judge, listed, seen.names, seen.known, wishes)
            await self._write(tx, staff, programme, judged, seen)
            await remember_file(tx, programme.id, _FILE, digest, staff_id=staff.id, now=now)
            report = _report(listed, judged, notes, already_imported=seen.already, dry_run=False)
            entry = AuditEntry(
                staff.actor,
                "programme.hospitals.import",
                f"programme:{slug}",
                after={
                    "file_sha256": digest.hex(),
                    "confirmed": {str(row): meant or "new" for row, meant in wishes.confirmed.items()},
                    "names": [{"hospital_id": owner, "name": name} for owner, name in judged.names],
                    **report.model_dump(exclude={"errors"}),
                },
            )
            await record(tx, entry, at=now)
        return report

    async def _look(self, tx: Tx, programme: Programme, digest: bytes) -> _Seen:
        today = local_day(self.kit.clock.now(), programme.timezone)
        standing = await store.hospitals(tx, programme.id, today)
        moved = await store.moved_ids(tx, programme.id)
        frozen = programme.frozen_through is not None
        return _Seen(
            names=await names_store.names_in_use(tx, programme.id),
            known={
                entry.id: Known(entry.id, entry.alliance, entry.visits, frozen or entry.id in moved)
                for entry in standing
            },
            already=await was_imported(tx, programme.id, _FILE, digest),
        )

    async def _write(self, tx: Tx, staff: Staff, programme: Programme, judged: Judged, seen: _Seen) -> None:
        now = self.kit.clock.now()
        new = [NewHospital(short_id("hos_"), line.name, line.alliance, line.visits) for line in judged.new]
        await insert_all(tx, staff, programme.id, new, reason=None, now=now)
        changed = [
            (owner, None if seen.known[owner].moves else line.alliance, line.visits)
            for owner, line in judged.changed
        ]
        await store.update_hospitals(tx, changed, now)
        ids = {line.row: entry.id for line, entry in zip(judged.new, new, strict=True)}
        added = [*judged.names, *((ids[line.row], name) for line, name in judged.new_names)]
        stamp = names_store.Stamp(staff.id, now, None)
        await names_store.insert_names(tx, programme.id, added, kind="alias", stamp=stamp)


def _read(content: bytes) -> HospitalList:
    return read_hospitals(find_table(read_rows(content), HOSPITAL_COLUMNS))


def _fault(fault: RowFault) -> HospitalFault:
    return HospitalFault(
        row=fault.row,
        column=fault.column,
        message=fault.message,
        code=fault.code,
        near_matches=[near_match(entry) for entry in fault.near],
    )


def _report(
    listed: HospitalList, judged: Judged, notes: list[str], *, already_imported: bool, dry_run: bool
) -> HospitalImportReport:
    accepted = len(judged.new) + len(judged.changed)
    faults = sorted(judged.faults, key=lambda fault: fault.row)[:ERRORS_MAX]
    return HospitalImportReport(
        rows=listed.rows,
        accepted=accepted,
        rejected=judged.rejected,
        duplicates=listed.rows - judged.rejected - accepted,
        updated=len(judged.changed),
        errors=[_fault(fault) for fault in faults],
        already_imported=already_imported,
        dry_run=dry_run,
        names_added=len(judged.names) + len(judged.new_names),
        notes=notes,
    )
