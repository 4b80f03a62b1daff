"""Reads the card figures: tally and deltas in one statement, so that each figure is exact."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text

from services.quota.progress.rules import Figures
from shared.db import Tx

_FIGURES = text("""
    SELECT dim AS hospital_id,
           coalesce(sum(n) FILTER (WHERE measure = 'card'), 0)::bigint AS issued,
           coalesce(sum(n) FILTER (WHERE measure = 'card_used'), 0)::bigint AS used,
           coalesce(sum(n) FILTER (WHERE measure = 'card' AND day >= :month_from
                                     AND day <= :month_until), 0)::bigint AS month_issued,
           coalesce(sum(n) FILTER (WHERE measure = 'card' AND day > :pace_after), 0)::bigint AS pace_issued
    FROM (
        SELECT dim, day, measure, n FROM core.tally WHERE scope_id = :programme
        UNION ALL
        SELECT dim, day, measure, n FROM core.tally_delta WHERE scope_id = :programme
    ) AS figure
    WHERE measure IN ('card', 'card_used') AND day <= :through
    GROUP BY dim
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
    SELECT dim AS hospital_id, sum(n)::bigint AS scans
    FROM (
        SELECT dim, measure, n FROM core.tally WHERE scope_id = :programme
        UNION ALL
        SELECT dim, measure, n FROM core.tally_delta WHERE scope_id = :programme
    ) AS figure
    WHERE measure = 'scan' GROUP BY dim
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
    month: tuple[date, date],
    through: date = date.max,
    pace_after: date = date.max,
) -> dict[str, Figures]:
    """Figures by hospital id; the empty id holds what is unattributed."""
    rows = await tx.execute(
        _FIGURES,
        {
            "programme": programme_id,
            "month_from": month[0],
            "month_until": month[1],
            "through": through,
            "pace_after": pace_after,
        },
    )
    return {row.hospital_id: Figures(row.issued, row.used, row.month_issued, row.pace_issued) for row in rows}


async def first_day(tx: Tx, programme_id: UUID) -> date | None:
    """The day of the first counted card."""
    day: date | None = (await tx.execute(_FIRST_DAY, {"programme": programme_id})).scalar_one()
    return day


async def daily(tx: Tx, programme_id: UUID) -> list[Day]:
    return [Day(*row) for row in await tx.execute(_DAILY, {"programme": programme_id})]


async def scans(tx: Tx, programme_id: UUID) -> Mapping[str, int]:
    """Scans by hospital id."""
    return {row.hospital_id: row.scans for row in await tx.execute(_SCANS, {"programme": programme_id})}
