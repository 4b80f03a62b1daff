"""Reading the rolled-up figures: tally + deltas in one statement, so that each figure is exact."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text

from shared.db import Tx

_FIGURES = text("""
    SELECT scope_id, day, measure, dim, dim2, sum(n)::bigint AS n,
           core.amounts_sum(amounts_fen) AS amounts_fen
    FROM (
        SELECT scope_id, day, measure, dim, dim2, n, amounts_fen FROM core.tally
        UNION ALL
        SELECT scope_id, day, measure, dim, dim2, n, amounts_fen FROM core.tally_delta
    ) AS figure
    WHERE scope_id = ANY(CAST(:scopes AS uuid[])) AND measure = ANY(CAST(:measures AS text[]))
    GROUP BY scope_id, day, measure, dim, dim2
    ORDER BY scope_id, day, measure, dim, dim2
""")
_ADD = text("""
    INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n, amounts_fen)
    VALUES (:scope, :day, :measure, :dim, :dim2, :n, CAST(:amounts_fen AS bigint[]))
""")
_FOLD = text("SELECT core.tally_fold(:limit)")


@dataclass(frozen=True, slots=True)
class Figure:
    """A count (`n`) and its money per payer, of one measure on one day under two dimensions."""

    scope_id: UUID
    day: date
    measure: str
    dim: str
    dim2: str
    n: int
    amounts_fen: list[int] | None

    @property
    def fen(self) -> int:
        return sum(self.amounts_fen or ())


async def figures(tx: Tx, scopes: list[UUID], measures: list[str]) -> list[Figure]:
    """All figures of these scopes (campaigns, programmes) and measures, exact as of this statement."""
    rows = await tx.execute(_FIGURES, {"scopes": scopes, "measures": measures})
    return [Figure(*row) for row in rows]


async def fold(tx: Tx, limit: int = 5000) -> int:
    """Folds up to `limit` deltas into the tally; returns how many there were."""
    return int((await tx.execute(_FOLD, {"limit": limit})).scalar_one())


async def add(
    tx: Tx,
    scope_id: UUID,
    day: date,
    measure: str,
    *,
    dim: str = "",
    dim2: str = "",
    n: int = 1,
    amounts_fen: list[int] | None = None,
) -> None:
    """Appends one delta, for operations that are not set-based SQL functions."""
    await tx.execute(
        _ADD,
        {
            "scope": scope_id,
            "day": day,
            "measure": measure,
            "dim": dim,
            "dim2": dim2,
            "n": n,
            "amounts_fen": amounts_fen,
        },
    )
