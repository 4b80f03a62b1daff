from datetime import date
from uuid import UUID

from sqlalchemy import text

from services.quota.funnel.rules import STEPS, Count
from shared.db import Tx

_COUNTS = text("""
    SELECT dim AS hospital_id, dim2 AS code, day, measure, sum(n)::bigint AS n
    FROM (
        SELECT dim, dim2, day, measure, n FROM core.tally WHERE scope_id = :programme
        UNION ALL
        SELECT dim, dim2, day, measure, n FROM core.tally_delta WHERE scope_id = :programme
    ) AS figure
    WHERE measure = ANY(:measures) AND day BETWEEN :first AND :last
      AND (CAST(:hospital AS text) IS NULL OR dim = :hospital)
    GROUP BY dim, dim2, day, measure HAVING sum(n) <> 0
    ORDER BY day, dim, dim2
""")


async def counts(
    tx: Tx, programme_id: UUID, *, first: date, last: date, hospital_id: str | None
) -> list[Count]:
    """Every step's figures, exact as of this statement."""
    values = {
        "programme": programme_id,
        "measures": list(STEPS),
        "first": first,
        "last": last,
        "hospital": hospital_id,
    }
    return [Count(*row) for row in await tx.execute(_COUNTS, values)]
