"""The calendars of working days: shipped ones, and what staff imported over them."""

import asyncio
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from services.quota.workdays import store
from services.quota.workdays.rules import (
    DAY_COLUMNS,
    OFF,
    PUBLISHED,
    TEMPLATE_NOTES,
    WORKS,
    Calendar,
    DayList,
    Year,
    days_between,
    read_days,
    working_days_of,
)
from services.quota.workdays.schemas import (
    NamedDay,
    WorkingYear,
    WorkingYearDays,
    WorkingYearReport,
    WorkingYears,
)
from shared.audit import AuditEntry, record
from shared.db import Tx
from shared.documents.reports import ERRORS_MAX
from shared.documents.sheets import find_table, read_rows
from shared.documents.templates import workbook_template
from shared.errors import Fault, InvalidRequest, NoLongerFits
from shared.identity.staff import Staff
from shared.kit import Kit


@dataclass(frozen=True, slots=True)
class Workdays:
    kit: Kit

    async def years(self) -> WorkingYears:
        """Every year that has a calendar."""
        async with self.kit.database.snapshot() as tx:
            found = await _years(tx)
        return WorkingYears(items=[_view(number, year) for number, year in sorted(found.items())])

    async def year(self, number: int) -> WorkingYearDays:
        """A year with the days that its notice names; none when it goes by weekdays."""
        async with self.kit.database.snapshot() as tx:
            found = (await _years(tx, [number])).get(number)
        days = found.days if found else ()
        return WorkingYearDays(
            **_view(number, found).model_dump(),
            days=[
                NamedDay(date=entry.day.isoformat(), works=entry.works, name=entry.label) for entry in days
            ],
        )

    async def template(self, number: int) -> bytes:
        """A workbook for the import, with what is known of the year filled in."""
        async with self.kit.database.snapshot() as tx:
            found = (await _years(tx, [number])).get(number)
        rows = [
            {"day": entry.day.isoformat(), "works": WORKS if entry.works else OFF, "label": entry.label}
            for entry in (found.days if found else ())
        ]
        rows = rows or [{"day": f"{number}-01-01", "works": OFF, "label": "元旦"}]
        choices = {"works": (OFF, WORKS)}
        return await asyncio.to_thread(workbook_template, DAY_COLUMNS, rows, TEMPLATE_NOTES, choices=choices)

    async def import_year(
        self, staff: Staff, number: int, content: bytes, *, source: str, dry_run: bool
    ) -> WorkingYearReport:
        """Takes a year's calendar whole, or not at all: half a calendar would be a wrong one.

        Raises:
            InvalidRequest: the file cannot be read, has not the columns; or, unless it is a dry run, a row
                is wrong.
            NoLongerFits: somebody else imported the year at the same moment.
        """
        listed = await asyncio.to_thread(_read, content, number)
        if not dry_run:
            _refuse_faults(listed)
        now, digest = self.kit.clock.now(), hashlib.sha256(content).digest()
        async with self.kit.database.transaction() as tx:
            before = (await _years(tx, [number])).get(number)
            edition = (before.edition or 0) + 1 if before else 1
            year = Year(number, source, listed.days, edition)
            known = before is not None and (before.days, before.source) == (year.days, source)
            written = not dry_run and not known
            report = _report(listed, year, before, dry_run=dry_run, known=known)
            if written:
                if not await store.insert_year(tx, year, digest=digest, staff_id=staff.id, now=now):
                    raise NoLongerFits("该年日历刚刚由他人导入，请重新试导入后再提交。")
                entry = AuditEntry(
                    staff.actor,
                    "working_year.import",
                    f"working_year:{number}",
                    before={"edition": before.edition if before else None},
                    after={"source": source, "file_sha256": digest.hex(), **report.model_dump()},
                )
                await record(tx, entry, at=now)
        return report


async def calendar_of(tx: Tx, first: date, last: date) -> Calendar:
    """What is known of the working days between these."""
    return Calendar(await _years(tx, range(first.year, last.year + 1)))


async def _years(tx: Tx, wanted: Collection[int] | None = None) -> Mapping[int, Year]:
    """Imported calendars stand above those that are shipped."""
    shipped = {number: year for number, year in PUBLISHED.items() if wanted is None or number in wanted}
    return {**shipped, **await store.years(tx, wanted)}


def _read(content: bytes, year: int) -> DayList:
    return read_days(find_table(read_rows(content), DAY_COLUMNS), year)


def _refuse_faults(listed: DayList) -> None:
    """Raises InvalidRequest, naming every row that is wrong."""
    faults = [Fault("file", f"第 {fault.row} 行：{fault.message}", "row_invalid") for fault in listed.faults]
    if not faults and not any(not entry.works for entry in listed.days):
        faults = [Fault("file", "文件中没有一个放假日", "calendar_empty")]
    if faults:
        raise InvalidRequest(faults=tuple(faults[:ERRORS_MAX]))


def _report(
    listed: DayList, year: Year, before: Year | None, *, dry_run: bool, known: bool
) -> WorkingYearReport:
    number = year.year
    was, will = Calendar({number: before} if before else {}), Calendar({number: year})
    accepted = 0 if known else len(listed.days)
    return WorkingYearReport(
        rows=listed.rows,
        accepted=accepted,
        rejected=listed.rejected,
        duplicates=listed.rows - listed.rejected - accepted,
        errors=list(listed.faults[:ERRORS_MAX]),
        already_imported=known,
        dry_run=dry_run,
        year=number,
        edition=None if dry_run or known else year.edition,
        working_days=working_days_of(number, listed.days),
        changed=[
            day.isoformat()
            for day in days_between(date(number, 1, 1), date(number, 12, 31))
            if was.works(day) != will.works(day)
        ],
    )


def _view(number: int, year: Year | None) -> WorkingYear:
    if year is None:
        return WorkingYear(
            year=number,
            origin="weekdays",
            edition=None,
            source=None,
            working_days=working_days_of(number, ()),
        )
    return WorkingYear(
        year=number,
        origin="shipped" if year.edition is None else "imported",
        edition=year.edition,
        source=year.source,
        working_days=working_days_of(number, year.days),
    )
