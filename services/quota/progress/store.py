"""Reads the card figures: tally and deltas in one statement, so that each figure is exact."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text

from services.quota.progress.rules import Figures
from shared.db import Tx

# Figures of a hospital that merged are part of the other's line.
_FIGURES = text("""
    SELECT coalesce(h.unit_id, dim) AS hospital_id,
           coalesce(sum(n) FILTER (WHERE measure = 'card'), 0)::bigint AS issued,
           coalesce(sum(n) FILTER (WHERE measure = 'card_used'), 0)::bigint AS used,
           coalesce(sum(n) FILTER (WHERE measure = 'card' AND day >= :month_from
                                     AND day <= :month_until), 0)::bigint AS month_issued,
           coalesce(sum(n) FILTER (WHERE measure = 'card' AND day > :pace_after), 0)::bigint AS pace_issued,
           coalesce(sum(n) FILTER (WHERE measure = 'card_void'), 0)::bigint AS void
    FROM (
        SELECT dim, day, measure, n FROM core.tally WHERE scope_id = :programme
        UNION ALL
        SELECT dim, day, measure, n FROM core.tally_delta WHERE scope_id = :programme
    ) AS figure
    LEFT JOIN quota.hospital_at(:programme, :as_of) h ON h.hospital_id = figure.dim
    WHERE measure IN ('card', 'card_used', 'card_void') AND day <= :through
    GROUP BY 1
""")
_FIRST_DAY = text("""
    SELECT min(day) FROM (
        SELECT day, measure FROM core.tally WHERE scope_id = :programme
        UNION ALL
        SELECT day, measure FROM core.tally_delta WHERE scope_id = :programme
    ) AS figure
    WHERE measure = 'card'
""")
_DAILY = text("""
    SELECT day,
           coalesce(sum(n) FILTER (WHERE measure = 'card'), 0)::bigint AS issued,
           coalesce(sum(n) FILTER (WHERE measure = 'card_used'), 0)::bigint AS used,
           coalesce(sum(n) FILTER (WHERE measure = 'scan'), 0)::bigint AS scans
    FROM (
        SELECT day, measure, n FROM core.tally WHERE scope_id = :programme
        UNION ALL
        SELECT day, measure, n FROM core.tally_delta WHERE scope_id = :programme
    ) AS figure
    WHERE measure IN ('card', 'card_used', 'scan')
    GROUP BY day ORDER BY day
""")
_SCANS = text("""
    SELECT coalesce(h.unit_id, dim) AS hospital_id, sum(n)::bigint AS scans
    FROM (
        SELECT dim, measure, n FROM core.tally WHERE scope_id = :programme
        UNION ALL
        SELECT dim, measure, n FROM core.tally_delta WHERE scope_id = :programme
    ) AS figure
    LEFT JOIN quota.hospital_at(:programme, :as_of) h ON h.hospital_id = figure.dim
    WHERE measure = 'scan' GROUP BY 1
""")


_SCANS_APART = text("""
    SELECT measure, sum(n)::bigint AS n FROM (
        SELECT measure, n FROM core.tally WHERE scope_id = :programme
        UNION ALL
        SELECT measure, n FROM core.tally_delta WHERE scope_id = :programme
    ) AS figure
    WHERE measure IN ('scan_repeat', 'scan_bot') GROUP BY measure
""")


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    issued: int
    used: int
    scans: int


async def figures(
    tx: Tx,
    programme_id: UUID,
    *,
    as_of: date,
    month: tuple[date, date],
    through: date = date.max,
    pace_after: date = date.max,
) -> dict[str, Figures]:
    """Figures by the id of the line that hospitals have as of a day; the empty id: what is unattributed."""
    rows = await tx.execute(
        _FIGURES,
        {
            "programme": programme_id,
            "as_of": as_of,
            "month_from": month[0],
            "month_until": month[1],
            "through": through,
            "pace_after": pace_after,
        },
    )
    return {
        row.hospital_id: Figures(row.issued, row.used, row.month_issued, row.pace_issued, row.void)
        for row in rows
    }


async def first_day(tx: Tx, programme_id: UUID) -> date | None:
    """The day of the first counted card."""
    day: date | None = (await tx.execute(_FIRST_DAY, {"programme": programme_id})).scalar_one()
    return day


async def daily(tx: Tx, programme_id: UUID) -> list[Day]:
    return [Day(*row) for row in await tx.execute(_DAILY, {"programme": programme_id})]


async def scans(tx: Tx, programme_id: UUID, as_of: date) -> Mapping[str, int]:
    """Scans by the id of the line that hospitals have as of a day."""
    rows = await tx.execute(_SCANS, {"programme": programme_id, "as_of": as_of})
    return {row.hospital_id: row.scans for row in rows}


async def scans_apart(tx: Tx, programme_id: UUID) -> Mapping[str, int]:
    """Of the scans: `scan_repeat` and `scan_bot`."""
    return {row.measure: row.n for row in await tx.execute(_SCANS_APART, {"programme": programme_id})}
