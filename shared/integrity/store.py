from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, LargeBinary, Uuid, bindparam, text

from shared.db import Tx

_PARAMETERS = {
    name: bindparam(name, type_=kind)
    for name, kind in (
        ("now", DateTime(timezone=True)),
        ("machine_now", DateTime(timezone=True)),
        ("phase_ids", ARRAY(Uuid())),
        ("seeds", ARRAY(LargeBinary())),
    )
}
# Only phases that were drawn in: the seed of a phase that has not begun leaves its seal for nobody.
_SEALED_SEEDS = text("""
    SELECT p.id, p.seed_sealed FROM issuance.phase p
    WHERE EXISTS (SELECT FROM issuance.draw d WHERE d.phase_id = p.id)
    ORDER BY p.id
""")


async def sealed_seeds(tx: Tx) -> list[tuple[UUID, bytes]]:
    return [(row.id, row.seed_sealed) for row in await tx.execute(_SEALED_SEEDS)]


async def answer(
    tx: Tx, sql: str, *, now: datetime, machine_now: datetime, seeds: dict[UUID, bytes]
) -> dict[str, Any]:
    """The one row of a check; raises when it answers none or several, or lacks a column."""
    statement = text(sql)
    values = {
        "now": now,
        "machine_now": machine_now,
        "phase_ids": list(seeds),
        "seeds": list(seeds.values()),
    }
    used = [_PARAMETERS[name] for name in values if name in statement.compile().params]
    row = (await tx.execute(statement.bindparams(*used), values)).one()
    return {"ok": row.ok, "expected": row.expected, "actual": row.actual, "detail": row.detail}
