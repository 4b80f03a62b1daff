from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import text

from services.quota.outlook.rules import Days, History
from shared.db import Tx

# Tally and deltas in one statement, so that each figure is exact; a day's parts add up before its square.
_HISTORIES = text("""
    SELECT hospital_id,
           coalesce(sum(n) FILTER (WHERE day < :today AND works), 0)::bigint AS working_total,
           coalesce(sum(n * n) FILTER (WHERE day < :today AND works), 0)::bigint AS working_squares,
           coalesce(sum(n) FILTER (WHERE day < :today AND NOT works), 0)::bigint AS off_total,
           coalesce(sum(n * n) FILTER (WHERE day < :today AND NOT works), 0)::bigint AS off_squares,
           coalesce(sum(n) FILTER (WHERE day = :today), 0)::bigint AS today
    FROM (
        SELECT coalesce(h.unit_id, dim) AS hospital_id, day, sum(n) AS n,
               day = ANY(CAST(:working AS date[])) AS works
        FROM (
            SELECT dim, day, measure, n FROM core.tally WHERE scope_id = :programme
            UNION ALL
            SELECT dim, day, measure, n FROM core.tally_delta WHERE scope_id = :programme
        ) AS figure
        LEFT JOIN quota.hospital_at(:programme, :through) h ON h.hospital_id = figure.dim
        WHERE measure = 'card' AND day >= :first AND day <= :through
        GROUP BY 1, day
    ) AS daily
    GROUP BY hospital_id
""")


async def histories(
    tx: Tx, programme_id: UUID, *, first: date, today: date, through: date, working: Collection[date]
) -> dict[str, History]:
    """By the line that hospitals have as of `through`, of the days from `first` until `today`.

    `working` are those that were working days. Hospitals without a card in these days are not in it. Nothing
    after `through` is counted.
    """
    rows = await tx.execute(
        _HISTORIES,
        {
            "programme": programme_id,
            "first": first,
            "today": today,
            "through": through,
            "working": sorted(working),
        },
    )
    days = (today - first).days
    return {
        row.hospital_id: History(
            Days(len(working), row.working_total, row.working_squares),
            Days(days - len(working), row.off_total, row.off_squares),
            row.today,
        )
        for row in rows
    }
