from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.quota.hospitals.tables import HospitalRow
from services.quota.qrcodes.tables import HospitalCodeRow, SubCodeRow
from services.quota.subcodes.rules import Counts, Kind
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class SubCode:
    id: str
    kind: Kind
    label: str
    created_at: datetime
    retired_at: datetime | None
    retired_reason: str | None
    scene: str | None
    replaced: Sequence[str]


_SUB_CODES = text("""
    SELECT s.id, s.kind, s.label, s.created_at, s.retired_at, s.retired_reason,
           max(c.scene) FILTER (WHERE c.replaced_at IS NULL) AS scene,
           coalesce(array_agg(c.scene ORDER BY c.replaced_at) FILTER (WHERE c.replaced_at IS NOT NULL), '{}')
    FROM quota.sub_code s
    JOIN quota.hospital_code c ON c.sub_code_id = s.id
    WHERE s.hospital_id = :hospital
    GROUP BY s.id
    ORDER BY s.retired_at IS NOT NULL, s.kind, s.label, s.id
""")
_COUNTS = text("""
    SELECT dim2, coalesce(sum(n) FILTER (WHERE measure = 'scan'), 0)::bigint AS scans,
           coalesce(sum(n) FILTER (WHERE measure = 'card_code'), 0)::bigint AS issued,
           coalesce(sum(n) FILTER (WHERE measure = 'card_used_code'), 0)::bigint AS used
    FROM (
        SELECT measure, dim2, n FROM core.tally
        WHERE scope_id = :programme AND dim = :hospital
          AND measure IN ('scan', 'card_code', 'card_used_code')
        UNION ALL
        SELECT measure, dim2, n FROM core.tally_delta
        WHERE scope_id = :programme AND dim = :hospital
          AND measure IN ('scan', 'card_code', 'card_used_code')
    ) AS figure
    GROUP BY dim2
""")


async def lock_hospital(tx: Tx, hospital_id: str) -> None:
    """Holds off other makers of the hospital's sub-codes."""
    await tx.execute(
        select(HospitalRow.id).where(HospitalRow.id == hospital_id).with_for_update(key_share=True)
    )


async def in_use(tx: Tx, hospital_id: str) -> int:
    """How many sub-codes of the hospital are not retired."""
    statement = (
        select(func.count())
        .select_from(SubCodeRow)
        .where(SubCodeRow.hospital_id == hospital_id, SubCodeRow.retired_at.is_(None))
    )
    return int((await tx.execute(statement)).scalar_one())


async def insert_sub_code(
    tx: Tx, *, sub_code_id: str, hospital_id: str, kind: Kind, label: str, staff_id: UUID, now: datetime
) -> bool:
    """False when one of the kind with this label is in use."""
    statement = (
        insert(SubCodeRow)
        .values(
            id=sub_code_id,
            hospital_id=hospital_id,
            kind=kind,
            label=label,
            created_by=staff_id,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(SubCodeRow.id)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def retire_sub_code(tx: Tx, sub_code_id: str, *, reason: str, now: datetime) -> None:
    """The caller has taken its code out of use, and so is the only one to do this."""
    statement = (
        update(SubCodeRow).where(SubCodeRow.id == sub_code_id).values(retired_at=now, retired_reason=reason)
    )
    await tx.execute(statement)


async def sub_codes(tx: Tx, hospital_id: str) -> list[SubCode]:
    """Those in use by kind and label, then the retired ones."""
    rows = await tx.execute(_SUB_CODES, {"hospital": hospital_id})
    return [SubCode(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class PrintedSubCode:
    """A sub-code in use, as posters need it."""

    hospital_id: str
    kind: str
    label: str
    scene: str


async def printed_sub_codes(tx: Tx, programme_id: UUID, *, only: str | None = None) -> list[PrintedSubCode]:
    """Those in use of a programme's hospitals (or of one), by hospital, kind and label."""
    statement = (
        select(SubCodeRow.hospital_id, SubCodeRow.kind, SubCodeRow.label, HospitalCodeRow.scene)
        .join(HospitalCodeRow, HospitalCodeRow.sub_code_id == SubCodeRow.id)
        .where(HospitalCodeRow.programme_id == programme_id, HospitalCodeRow.replaced_at.is_(None))
        .order_by(SubCodeRow.hospital_id, SubCodeRow.kind, SubCodeRow.label, SubCodeRow.id)
    )
    if only is not None:
        statement = statement.where(SubCodeRow.hospital_id == only)
    return [PrintedSubCode(*row) for row in await tx.execute(statement)]


async def own_scenes(tx: Tx, hospital_id: str) -> list[str]:
    """All codes that the hospital itself ever had."""
    statement = select(HospitalCodeRow.scene).where(
        HospitalCodeRow.hospital_id == hospital_id, HospitalCodeRow.sub_code_id.is_(None)
    )
    return list((await tx.execute(statement)).scalars())


async def counts_by_scene(tx: Tx, programme_id: UUID, hospital_id: str) -> dict[str, Counts]:
    """What each code came to; cards without a code are under the empty one."""
    rows = await tx.execute(_COUNTS, {"programme": programme_id, "hospital": hospital_id})
    return {row.dim2: Counts(row.scans, row.issued, row.used) for row in rows}
