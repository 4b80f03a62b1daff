"""Bases beside the visits: imported by name, looked at, and filled in from a template."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.quota.allocation.rules import VISITS
from services.quota.bases import store
from services.quota.bases.rules import BasisFile, columns_of, read_figures
from services.quota.bases.schemas import Bases, BasisFigure, BasisView
from services.quota.hospitalnames.store import names_in_use
from services.quota.hospitals.store import Filters, HospitalDay, hospitals
from services.quota.programmes.errors import NoHospitals
from services.quota.programmes.operations import require_programme
from services.quota.programmes.store import Programme, remember_file, was_imported
from shared.audit import AuditEntry, record
from shared.clock import local_day, rfc3339
from shared.db import Tx, retried
from shared.documents.reports import ImportReport
from shared.documents.sheets import Table, find_table, read_rows
from shared.documents.templates import workbook_template
from shared.errors import Fault, InvalidRequest, NotFound
from shared.identity.staff import Staff
from shared.kit import Kit
from shared.rates import rate_text

# Who gets a quota: those that are open and have not merged.
_OPEN_LINES = Filters(state="open", lines=True)
_NOTES = (
    "每行一家医院；医院名称须与名单一致（或为其别名）。",
    "数值为不小于零的数，最多六位小数，例如 1,250 或 12.5。",
    "已有数值的医院将被更新；空白的行请删除。",
)


@dataclass(frozen=True, slots=True)
class AllocationBases:
    kit: Kit

    async def bases(self, slug: str) -> Bases:
        """The visits first. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            listed = await self._lines(tx, programme)
            visits = {hospital.id: Decimal(hospital.unit_visits) for hospital in listed}
            items = [_view(VISITS, visits, listed, None)]
            for basis in await store.bases(tx, programme.id):
                found = await store.figures(tx, programme.id, basis.name)
                items.append(_view(basis.name, found, listed, rfc3339(basis.updated_at)))
        return Bases(items=items)

    async def figures(
        self, slug: str, basis: str, *, limit: int, after: int
    ) -> tuple[list[BasisFigure], int | None]:
        """In the order of the list, with the place behind which the next page begins. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            listed = await hospitals(
                tx, programme.id, self._today(programme), limit=limit + 1, after=after, filters=_OPEN_LINES
            )
            found = await _known(tx, programme.id, basis)
        page = [
            BasisFigure(
                hospital_id=hospital.id,
                hospital=hospital.name,
                alliance=hospital.alliance,
                value=_figure_text(hospital, basis, found),
            )
            for hospital in listed[:limit]
        ]
        return page, listed[limit - 1].position if len(listed) > limit else None

    async def template(self, slug: str, basis: str) -> bytes:
        """A sheet with every hospital and its figure, if there is one. Raises NotFound, NoHospitals."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            listed = await self._lines(tx, programme)
            found = await store.figures(tx, programme.id, basis)
        if not listed:
            raise NoHospitals
        rows = [
            {"hospital": hospital.name, "value": _figure_text(hospital, basis, found) or ""}
            for hospital in listed
        ]
        return await asyncio.to_thread(workbook_template, columns_of(basis), rows, _NOTES)

    async def take(
        self, staff: Staff, slug: str, basis: str, content: bytes, *, dry_run: bool
    ) -> ImportReport:
        """Takes the good rows of a file; the basis begins to exist with its first import.

        Raises:
            NotFound, InvalidRequest: the visits; or the file cannot be read, or has not the columns.
        """
        if basis == VISITS:
            fault = Fault("path.basis", "诊疗人次随医院名单导入，请另取名称", "basis_reserved")
            raise InvalidRequest(faults=(fault,))
        if dry_run:
            return await self._foresee(slug, basis, content)
        return await self._take(staff, slug, basis, content)

    async def _foresee(self, slug: str, basis: str, content: bytes) -> ImportReport:
        table = await asyncio.to_thread(_table, content, basis)
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            read = read_figures(table, await names_in_use(tx, programme.id))
            known = await store.figures(tx, programme.id, basis)
            already = await was_imported(tx, programme.id, _kind(basis), _digest(content))
        return _report(read, known, already_imported=already, dry_run=True)

    @retried
    async def _take(self, staff: Staff, slug: str, basis: str, content: bytes) -> ImportReport:
        now = self.kit.clock.now()
        digest = _digest(content)
        table = await asyncio.to_thread(_table, content, basis)
        async with self.kit.database.transaction(slow=True) as tx:
            programme = await require_programme(tx, slug)
            read = read_figures(table, await names_in_use(tx, programme.id))
            if read.figures:
                await store.lock_basis(tx, programme.id, basis, now)
            known = await store.figures(tx, programme.id, basis)
            already = await was_imported(tx, programme.id, _kind(basis), digest)
            if read.figures:
                await store.write_figures(tx, programme.id, basis, read.figures, now)
            await remember_file(tx, programme.id, _kind(basis), digest, staff_id=staff.id, now=now)
            report = _report(read, known, already_imported=already, dry_run=False)
            entry = AuditEntry(
                staff.actor,
                "programme.basis.import",
                f"programme:{slug}",
                after={"basis": basis, "file_sha256": digest.hex(), **report.model_dump(exclude={"errors"})},
            )
            await record(tx, entry, at=now)
        return report

    async def _lines(self, tx: Tx, programme: Programme) -> list[HospitalDay]:
        return await hospitals(tx, programme.id, self._today(programme), filters=_OPEN_LINES)

    def _today(self, programme: Programme) -> date:
        return local_day(self.kit.clock.now(), programme.timezone)


async def _known(tx: Tx, programme_id: UUID, basis: str) -> dict[str, Decimal]:
    """The figures of an imported basis; none for the visits. Raises NotFound."""
    if basis == VISITS:
        return {}
    if not await store.is_known(tx, programme_id, basis):
        raise NotFound
    return await store.figures(tx, programme_id, basis)


def _view(
    name: str, found: Mapping[str, Decimal], listed: Sequence[HospitalDay], updated_at: str | None
) -> BasisView:
    figures = [found[hospital.id] for hospital in listed if hospital.id in found]
    return BasisView(
        basis=name,
        hospitals=len(figures),
        missing=len(listed) - len(figures),
        sum=rate_text(sum(figures, Decimal(0))),
        updated_at=updated_at,
    )


def _figure_text(hospital: HospitalDay, basis: str, found: Mapping[str, Decimal]) -> str | None:
    value = Decimal(hospital.unit_visits) if basis == VISITS else found.get(hospital.id)
    return None if value is None else rate_text(value)


def _table(content: bytes, basis: str) -> Table:
    return find_table(read_rows(content), columns_of(basis))


def _report(
    read: BasisFile, known: Mapping[str, Decimal], *, already_imported: bool, dry_run: bool
) -> ImportReport:
    new = sum(hospital_id not in known for hospital_id in read.figures)
    updated = sum(known.get(hospital_id, value) != value for hospital_id, value in read.figures.items())
    return ImportReport(
        rows=read.rows,
        accepted=new + updated,
        rejected=read.rejected,
        duplicates=read.rows - read.rejected - new - updated,
        updated=updated,
        errors=list(read.faults),
        already_imported=already_imported,
        dry_run=dry_run,
    )


def _kind(basis: str) -> str:
    return f"basis:{basis}"


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
