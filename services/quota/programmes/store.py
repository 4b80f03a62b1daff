from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.quota.hospitals.tables import HospitalRow
from services.quota.programmes.tables import ImportedFileRow, ProgrammeRow
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Programme:
    id: UUID
    slug: str
    title: str
    timezone: str
    target_cards: int
    issued_before_cards: int
    landing_url: str
    ends_on: date | None
    definition: dict[str, Any]
    frozen_through: date | None
    created_at: datetime


_PROGRAMME = select(
    ProgrammeRow.id,
    ProgrammeRow.slug,
    ProgrammeRow.title,
    ProgrammeRow.timezone,
    ProgrammeRow.target_cards,
    ProgrammeRow.issued_before_cards,
    ProgrammeRow.landing_url,
    ProgrammeRow.ends_on,
    ProgrammeRow.definition,
    ProgrammeRow.frozen_through,
    ProgrammeRow.created_at,
)
_REMEMBER_FILE = text("""
    INSERT INTO quota.imported_file (programme_id, kind, file_sha256, imported_by, imported_at)
    VALUES (:programme, :kind, :digest, :staff, :now)
    ON CONFLICT DO NOTHING
""")


async def insert_programme(tx: Tx, row: dict[str, Any]) -> bool:
    """False when another programme has the slug, also one that is being written at this moment."""
    statement = insert(ProgrammeRow).values(**row).on_conflict_do_nothing().returning(ProgrammeRow.id)
    return (await tx.execute(statement)).one_or_none() is not None


async def programme_by_slug(tx: Tx, slug: str) -> Programme | None:
    return _one(await tx.execute(_PROGRAMME.where(ProgrammeRow.slug == slug)))


async def programme_by_id(tx: Tx, programme_id: UUID) -> Programme | None:
    return _one(await tx.execute(_PROGRAMME.where(ProgrammeRow.id == programme_id)))


async def lock_programme(tx: Tx, slug: str) -> Programme | None:
    """The programme, locked alone: no batch of card events is counted until the caller commits."""
    return _one(await tx.execute(_PROGRAMME.where(ProgrammeRow.slug == slug).with_for_update()))


async def set_end(tx: Tx, programme_id: UUID, ends_on: date | None) -> None:
    """Of a programme that the caller has locked."""
    statement = update(ProgrammeRow).where(ProgrammeRow.id == programme_id).values(ends_on=ends_on)
    await tx.execute(statement)


async def programmes(tx: Tx, *, hospital_id: str | None = None) -> list[Programme]:
    """All of them (a city has a few), newest first; or the one that this hospital is in."""
    statement = _PROGRAMME.order_by(ProgrammeRow.created_at.desc(), ProgrammeRow.slug.desc())
    if hospital_id is not None:
        statement = statement.join(HospitalRow, HospitalRow.programme_id == ProgrammeRow.id).where(
            HospitalRow.id == hospital_id
        )
    return [Programme(*row) for row in await tx.execute(statement)]


async def was_imported(tx: Tx, programme_id: UUID, kind: str, digest: bytes) -> bool:
    statement = select(ImportedFileRow.imported_at).where(
        ImportedFileRow.programme_id == programme_id,
        ImportedFileRow.kind == kind,
        ImportedFileRow.file_sha256 == digest,
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def remember_file(
    tx: Tx, programme_id: UUID, kind: str, digest: bytes, *, staff_id: UUID, now: datetime
) -> None:
    values = {"programme": programme_id, "kind": kind, "digest": digest, "staff": staff_id, "now": now}
    await tx.execute(_REMEMBER_FILE, values)


def _one(rows: Any) -> Programme | None:  # noqa: ANN401 - a result of the statement above
    row = rows.one_or_none()
    return None if row is None else Programme(*row)
