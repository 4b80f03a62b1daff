from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update

from services.quota.qrcodes.tables import HospitalCodeRow
from shared.db import Database, Tx


@dataclass(frozen=True, slots=True)
class Code:
    scene: str
    hospital_id: str
    created_at: datetime
    replaced_at: datetime | None
    replaced_reason: str | None


# One statement, so one round trip for each scan: finds the code, counts the scan, tells where it leads.
_SCAN = """
    WITH found AS (
        SELECT c.programme_id, c.hospital_id, c.scene, p.landing_url, p.timezone
        FROM quota.hospital_code c
        JOIN quota.programme p ON p.id = c.programme_id
        WHERE c.scene = $1
    ), counted AS (
        INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n)
        SELECT programme_id, ($2 AT TIME ZONE timezone)::date, 'scan', hospital_id, scene, 1 FROM found
    )
    SELECT landing_url FROM found
"""


async def insert_codes(tx: Tx, programme_id: UUID, codes: Sequence[tuple[str, str]], now: datetime) -> None:
    """Puts (scene, hospital id) into use."""
    rows = [
        {"scene": scene, "programme_id": programme_id, "hospital_id": hospital_id, "created_at": now}
        for scene, hospital_id in codes
    ]
    if rows:
        await tx.execute(insert(HospitalCodeRow), rows)


async def retire_code(tx: Tx, hospital_id: str, *, reason: str, now: datetime) -> str | None:
    """Takes the hospital's code out of use; of two at once one waits and finds nothing left to retire."""
    statement = (
        update(HospitalCodeRow)
        .where(HospitalCodeRow.hospital_id == hospital_id, HospitalCodeRow.replaced_at.is_(None))
        .values(replaced_at=now, replaced_reason=reason)
        .returning(HospitalCodeRow.scene)
    )
    scene: str | None = (await tx.execute(statement)).scalar_one_or_none()
    return scene


async def codes_of(tx: Tx, hospital_id: str) -> list[Code]:
    """Newest first: the one in use, then those it replaced."""
    statement = (
        select(
            HospitalCodeRow.scene,
            HospitalCodeRow.hospital_id,
            HospitalCodeRow.created_at,
            HospitalCodeRow.replaced_at,
            HospitalCodeRow.replaced_reason,
        )
        .where(HospitalCodeRow.hospital_id == hospital_id)
        .order_by(HospitalCodeRow.replaced_at.desc().nulls_first())
    )
    return [Code(*row) for row in await tx.execute(statement)]


async def count_scan(database: Database, scene: str, now: datetime) -> str | None:
    """Appends one scan and returns the landing address of its programme; None when the scene is nobody's."""
    rows = await database.call(_SCAN, scene, now)
    return rows[0]["landing_url"] if rows else None
