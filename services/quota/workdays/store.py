from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from services.quota.workdays.rules import Day, Year
from services.quota.workdays.tables import WorkingYearDayRow, WorkingYearRow
from shared.db import Tx

_IN_FORCE = text("""
    SELECT DISTINCT ON (y.year) y.year, y.edition, y.source FROM quota.working_year y
    WHERE CAST(:years AS bigint[]) IS NULL OR y.year = ANY(:years)
    ORDER BY y.year, y.edition DESC
""")
_DAYS = text("""
    SELECT d.year, d.day, d.works, d.label
    FROM unnest(CAST(:years AS bigint[]), CAST(:editions AS bigint[])) AS u (year, edition)
    JOIN quota.working_year_day d ON d.year = u.year AND d.edition = u.edition
    ORDER BY d.day
""")


async def years(tx: Tx, wanted: Collection[int] | None = None) -> dict[int, Year]:
    """The imported calendars in force: of these years, or of all."""
    chosen = None if wanted is None else sorted(wanted)
    found = (await tx.execute(_IN_FORCE, {"years": chosen})).all()
    if not found:
        return {}
    named: dict[int, list[Day]] = {row.year: [] for row in found}
    keys = {"years": [row.year for row in found], "editions": [row.edition for row in found]}
    for row in await tx.execute(_DAYS, keys):
        named[row.year].append(Day(row.day, row.works, row.label))
    return {row.year: Year(row.year, row.source, tuple(named[row.year]), row.edition) for row in found}


async def insert_year(tx: Tx, year: Year, *, digest: bytes, staff_id: UUID, now: datetime) -> bool:
    """Writes an edition with its days; False when it is there already, also by one under way."""
    header: dict[str, Any] = {
        "year": year.year,
        "edition": year.edition,
        "source": year.source,
        "file_sha256": digest,
        "created_by": staff_id,
        "created_at": now,
    }
    taken = insert(WorkingYearRow).values(**header).on_conflict_do_nothing().returning(WorkingYearRow.year)
    if (await tx.execute(taken)).one_or_none() is None:
        return False
    rows = [
        {
            "year": year.year,
            "edition": year.edition,
            "day": entry.day,
            "works": entry.works,
            "label": entry.label,
        }
        for entry in year.days
    ]
    await tx.execute(insert(WorkingYearDayRow), rows)
    return True
