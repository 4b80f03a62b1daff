from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update

from services.quota.qrcodes.tables import HospitalCodeRow, SubCodeRow
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Code:
    scene: str
    hospital_id: str
    created_at: datetime
    replaced_at: datetime | None
    replaced_reason: str | None


@dataclass(frozen=True, slots=True)
class CodeOwner:
    """No sub-code: the hospital itself."""

    sub_code_id: str | None
    label: str | None
    in_use: bool


async def insert_codes(
    tx: Tx,
    programme_id: UUID,
    codes: Sequence[tuple[str, str]],
    now: datetime,
    *,
    sub_code_id: str | None = None,
) -> None:
    """Puts (scene, hospital id) into use, as the hospital's own or a sub-code's."""
    rows = [
        {
            "scene": scene,
            "programme_id": programme_id,
            "hospital_id": hospital_id,
            "sub_code_id": sub_code_id,
            "created_at": now,
        }
        for scene, hospital_id in codes
    ]
    if rows:
        await tx.execute(insert(HospitalCodeRow), rows)


async def retire_code(tx: Tx, hospital_id: str, scene: str, *, reason: str, now: datetime) -> bool:
    """Takes the code out of use; of two at once one waits and finds nothing left to retire."""
    statement = (
        update(HospitalCodeRow)
        .where(
            HospitalCodeRow.hospital_id == hospital_id,
            HospitalCodeRow.scene == scene,
            HospitalCodeRow.replaced_at.is_(None),
        )
        .values(replaced_at=now, replaced_reason=reason)
        .returning(HospitalCodeRow.scene)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def codes_of(tx: Tx, hospital_id: str) -> list[Code]:
    """The hospital's own, newest first: the one in use, then those it replaced."""
    statement = (
        select(
            HospitalCodeRow.scene,
            HospitalCodeRow.hospital_id,
            HospitalCodeRow.created_at,
            HospitalCodeRow.replaced_at,
            HospitalCodeRow.replaced_reason,
        )
        .where(HospitalCodeRow.hospital_id == hospital_id, HospitalCodeRow.sub_code_id.is_(None))
        .order_by(HospitalCodeRow.replaced_at.desc().nulls_first())
    )
    return [Code(*row) for row in await tx.execute(statement)]


async def owner_of(tx: Tx, hospital_id: str, scene: str) -> CodeOwner | None:
    """Whose code it is, of this hospital's; None when it is none of them."""
    statement = (
        select(SubCodeRow.id, SubCodeRow.label, HospitalCodeRow.replaced_at.is_(None))
        .select_from(HospitalCodeRow)
        .outerjoin(SubCodeRow, SubCodeRow.id == HospitalCodeRow.sub_code_id)
        .where(HospitalCodeRow.hospital_id == hospital_id, HospitalCodeRow.scene == scene)
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else CodeOwner(*row)
