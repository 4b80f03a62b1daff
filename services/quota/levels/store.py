from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from shared.db import Tx

_LEVELS = text("""
    SELECT l.hospital_id, l.level FROM quota.hospital h JOIN quota.hospital_level l ON l.hospital_id = h.id
    WHERE h.programme_id = :programme
""")
# In one order, so that two imports at once never wait for each other.
_SET = text("""
    INSERT INTO quota.hospital_level AS l (hospital_id, level, updated_by, updated_at)
    SELECT u.id, u.level, :staff, :now
    FROM unnest(CAST(:ids AS text[]), CAST(:levels AS text[])) AS u (id, level)
    ORDER BY u.id
    ON CONFLICT (hospital_id) DO UPDATE
    SET level = excluded.level, updated_by = excluded.updated_by, updated_at = excluded.updated_at
    WHERE l.level <> excluded.level
""")
_CLEAR = text("DELETE FROM quota.hospital_level WHERE hospital_id = ANY(CAST(:ids AS text[]))")


async def levels(tx: Tx, programme_id: UUID) -> dict[str, str]:
    """By hospital id; hospitals without one are not in it."""
    return {row.hospital_id: row.level for row in await tx.execute(_LEVELS, {"programme": programme_id})}


async def set_levels(tx: Tx, found: Mapping[str, str], *, staff_id: UUID, now: datetime) -> None:
    """Writes the levels by hospital id; an empty one takes the hospital's away."""
    given = {key: level for key, level in found.items() if level}
    values = {"ids": list(given), "levels": list(given.values()), "staff": staff_id, "now": now}
    await tx.execute(_SET, values)
    await tx.execute(_CLEAR, {"ids": sorted(set(found) - set(given))})
