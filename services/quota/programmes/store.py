from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from services.quota.programmes.rules import HospitalLine
from services.quota.programmes.tables import HospitalRow, ImportedFileRow, ProgrammeRow
from services.quota.qrcodes.tables import HospitalCodeRow
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


@dataclass(frozen=True, slots=True)
class Hospital:
    id: str
    position: int
    name: str
    name_key: str
    alliance: str
    visits: int
    scene: str


@dataclass(frozen=True, slots=True)
class NewHospital:
    id: str
    line: HospitalLine


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
_HOSPITAL = (
    select(
        HospitalRow.id,
        HospitalRow.position,
        HospitalRow.name,
        HospitalRow.name_key,
        HospitalRow.alliance,
        HospitalRow.visits,
        HospitalCodeRow.scene,
    )
    .join(
        HospitalCodeRow,
        (HospitalCodeRow.hospital_id == HospitalRow.id)
        & HospitalCodeRow.replaced_at.is_(None)
        & HospitalCodeRow.sub_code_id.is_(None),
    )
    .order_by(HospitalRow.position)
)
# Positions come from the identity column in the order of the list. A hospital that another import wrote
# meanwhile is updated all the same; what it would not change is not written and not returned.
_UPSERT_HOSPITALS = text("""
    INSERT INTO quota.hospital AS h
        (id, programme_id, name, name_key, alliance, visits, created_at, updated_at)
    SELECT u.id, :programme, u.name, u.name_key, u.alliance, u.visits, :now, :now
    FROM unnest(CAST(:ids AS text[]), CAST(:names AS text[]), CAST(:keys AS text[]),
                CAST(:alliances AS text[]), CAST(:visits AS bigint[])) WITH ORDINALITY
         AS u (id, name, name_key, alliance, visits, ord)
    ORDER BY u.ord
    ON CONFLICT (programme_id, name_key) DO UPDATE
    SET alliance = excluded.alliance, visits = excluded.visits, updated_at = excluded.updated_at
    WHERE (h.alliance, h.visits) IS DISTINCT FROM (excluded.alliance, excluded.visits)
    RETURNING h.id
""")
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


async def programmes(tx: Tx) -> list[Programme]:
    """All of them (a city has a few), newest first."""
    statement = _PROGRAMME.order_by(ProgrammeRow.created_at.desc(), ProgrammeRow.slug.desc())
    return [Programme(*row) for row in await tx.execute(statement)]


async def hospitals(
    tx: Tx, programme_id: UUID, *, limit: int | None = None, after: int = 0, only: str | None = None
) -> list[Hospital]:
    """In the order of their list, each with the code that is in use; `only` one of them."""
    statement = _HOSPITAL.where(HospitalRow.programme_id == programme_id, HospitalRow.position > after)
    if only is not None:
        statement = statement.where(HospitalRow.id == only)
    if limit is not None:
        statement = statement.limit(limit)
    return [Hospital(*row) for row in await tx.execute(statement)]


async def hospital_by_id(tx: Tx, hospital_id: str) -> tuple[Hospital, UUID] | None:
    """The hospital and its programme's id."""
    row = (
        await tx.execute(_HOSPITAL.add_columns(HospitalRow.programme_id).where(HospitalRow.id == hospital_id))
    ).one_or_none()
    return None if row is None else (Hospital(*row[:-1]), row[-1])


async def known_hospitals(tx: Tx, programme_id: UUID) -> dict[str, tuple[str, int]]:
    """Alliance and visits of every hospital, by the key of its name."""
    statement = select(HospitalRow.name_key, HospitalRow.alliance, HospitalRow.visits).where(
        HospitalRow.programme_id == programme_id
    )
    return {row.name_key: (row.alliance, row.visits) for row in await tx.execute(statement)}


async def upsert_hospitals(
    tx: Tx, programme_id: UUID, hospitals: Sequence[NewHospital], now: datetime
) -> set[str]:
    """Writes new hospitals and changed ones; returns the ids of the rows that it wrote."""
    rows = await tx.execute(
        _UPSERT_HOSPITALS,
        {
            "programme": programme_id,
            "ids": [hospital.id for hospital in hospitals],
            "names": [hospital.line.name for hospital in hospitals],
            "keys": [hospital.line.key for hospital in hospitals],
            "alliances": [hospital.line.alliance for hospital in hospitals],
            "visits": [hospital.line.visits for hospital in hospitals],
            "now": now,
        },
    )
    return set(rows.scalars())


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
