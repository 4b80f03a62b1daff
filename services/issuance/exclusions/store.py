"""SQL of the lists.

A list's changes queue up at the campaign's row in `campaign_rules`, then wait for the turns of the persons
whom they name; entries are written last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text

from services.issuance.campaigns.tables import CampaignRulesRow
from services.issuance.exclusions.rules import List, Terms
from services.issuance.exclusions.tables import ExclusionImportRow
from shared.db import Database, Tx
from shared.ids import HotId

_NOTES = "SELECT appeal_note FROM issuance.appeal_notes($1, $2, $3, $4)"
_NOTE = text("""
    SELECT appeal_note FROM issuance.appeal_notes(
        :campaign, :now, ARRAY[CAST(:bucket AS smallint)], ARRAY[CAST(:person AS uuid)])
""")
_PERSON = text("SELECT true FROM core.person WHERE bucket = :bucket AND id = :person")
_TURN = text("""
    SELECT issuance.lock_participants(
        ARRAY[CAST(:campaign AS uuid)], ARRAY[CAST(:bucket AS smallint)], ARRAY[CAST(:person AS uuid)])
""")
_TURNS_OF = text("""
    SELECT issuance.lock_participants(
        array_agg(CAST(:campaign AS uuid)), array_agg(bucket), array_agg(person_id))
    FROM core.person_identity WHERE identity_hash = ANY(CAST(:hashes AS bytea[]))
""")
_BY_IDENTITY = text("SELECT * FROM issuance.listed_identities(:campaign, CAST(:hashes AS bytea[]))")
_BY_PERSON = text("""
    SELECT id, list, reason, appeal_note, expires_at, added_at, added_by FROM issuance.exclusion
    WHERE campaign_id = :campaign AND lifted_at IS NULL AND bucket = :bucket AND person_id = :person
""")
_INSERT = text("""
    INSERT INTO issuance.exclusion (
        id, campaign_id, list, identity_hash, id_number_sealed, id_number_masked, bucket, person_id, reason,
        appeal_note, expires_at, added_at, added_by)
    SELECT id, :campaign, list, identity_hash, id_number_sealed, id_number_masked, bucket, person_id, reason,
           appeal_note, expires_at, :now, :by
    FROM unnest(
        CAST(:id AS uuid[]), CAST(:list AS text[]), CAST(:identity_hash AS bytea[]),
        CAST(:id_number_sealed AS bytea[]), CAST(:id_number_masked AS text[]), CAST(:bucket AS smallint[]),
        CAST(:person_id AS uuid[]), CAST(:reason AS text[]), CAST(:appeal_note AS text[]),
        CAST(:expires_at AS timestamptz[])
    ) AS u (id, list, identity_hash, id_number_sealed, id_number_masked, bucket, person_id, reason,
            appeal_note, expires_at)
""")
_LIFT = text("""
    UPDATE issuance.exclusion SET lifted_at = :now, lifted_by = :by, lift_reason = :reason
    WHERE id = ANY(CAST(:ids AS uuid[])) AND campaign_id = :campaign AND lifted_at IS NULL
    RETURNING id
""")
_COLUMNS = """
    id, list, id_number_masked, bucket, person_id, reason, appeal_note, expires_at, added_at, added_by,
    lifted_at, lifted_by, lift_reason
"""
_PAGE = text(f"""
    SELECT {_COLUMNS} FROM issuance.exclusion
    WHERE campaign_id = :campaign
      AND (CAST(:list AS text) IS NULL OR list = :list)
      AND (CAST(:in_force AS boolean) IS NULL
           OR :in_force = (lifted_at IS NULL AND (expires_at IS NULL OR expires_at > :now)))
      AND (CAST(:before_at AS timestamptz) IS NULL
           OR (added_at, id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS uuid)))
    ORDER BY added_at DESC, id DESC LIMIT :limit
""")
_ONE = text(f"SELECT {_COLUMNS} FROM issuance.exclusion WHERE campaign_id = :campaign AND id = :id")


@dataclass(frozen=True, slots=True)
class Identity:
    """An id number as it is kept."""

    hash: bytes
    sealed: bytes
    masked: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry to be made: of an id number, or of a person."""

    id: UUID
    subject: Identity | HotId
    terms: Terms


@dataclass(frozen=True, slots=True)
class Known:
    """An entry that nobody lifted."""

    id: UUID
    terms: Terms
    added_at: datetime
    added_by: UUID


@dataclass(frozen=True, slots=True)
class Exclusion:
    id: UUID
    list: List
    id_number_masked: str | None
    bucket: int | None
    person_id: UUID | None
    reason: str
    appeal_note: str
    expires_at: datetime | None
    added_at: datetime
    added_by: UUID
    lifted_at: datetime | None
    lifted_by: UUID | None
    lift_reason: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    list: List | None
    in_force: bool | None


async def appeal_notes(
    database: Database, campaign_id: UUID, people: Sequence[HotId], *, now: datetime
) -> list[str | None]:
    """issuance.appeal_notes: what each is told, None for whoever may take part."""
    buckets, persons = [person.bucket for person in people], [person.uuid for person in people]
    return [row[0] for row in await database.call(_NOTES, campaign_id, now, buckets, persons)]


async def appeal_note(tx: Tx, campaign_id: UUID, person: HotId, *, now: datetime) -> str | None:
    """What the person is told, None when it may take part. The caller holds the person's turn."""
    values = {"campaign": campaign_id, "now": now, "bucket": person.bucket, "person": person.uuid}
    note: str | None = (await tx.execute(_NOTE, values)).scalar_one()
    return note


async def lock_lists(tx: Tx, campaign_id: UUID) -> None:
    """Of two changes of a campaign's lists one waits for the other; those who take part do not wait."""
    statement = select(CampaignRulesRow.campaign_id).where(CampaignRulesRow.campaign_id == campaign_id)
    await tx.execute(statement.with_for_update())


async def person_exists(tx: Tx, person: HotId) -> bool:
    found = await tx.execute(_PERSON, {"bucket": person.bucket, "person": person.uuid})
    return found.one_or_none() is not None


async def lock_turn(tx: Tx, campaign_id: UUID, person: HotId) -> None:
    values = {"campaign": campaign_id, "bucket": person.bucket, "person": person.uuid}
    await tx.execute(_TURN, values)


async def lock_turns_of(tx: Tx, campaign_id: UUID, hashes: Sequence[bytes]) -> None:
    """Waits for the turns of those persons whose identity is known already."""
    await tx.execute(_TURNS_OF, {"campaign": campaign_id, "hashes": list(hashes)})


async def known_by_identity(
    tx: Tx, campaign_id: UUID, hashes: Sequence[bytes]
) -> Mapping[tuple[bytes, List], Known]:
    rows = await tx.execute(_BY_IDENTITY, {"campaign": campaign_id, "hashes": list(hashes)})
    return {
        (row.identity_hash, row.list): Known(
            row.id,
            Terms(row.list, row.reason, row.appeal_note, row.expires_at),
            row.added_at,
            row.added_by,
        )
        for row in rows
    }


async def known_by_person(tx: Tx, campaign_id: UUID, person: HotId) -> Mapping[List, Known]:
    values = {"campaign": campaign_id, "bucket": person.bucket, "person": person.uuid}
    return {
        row.list: Known(
            row.id,
            Terms(row.list, row.reason, row.appeal_note, row.expires_at),
            row.added_at,
            row.added_by,
        )
        for row in await tx.execute(_BY_PERSON, values)
    }


async def insert_entries(
    tx: Tx, campaign_id: UUID, entries: Sequence[Entry], *, by: UUID, now: datetime
) -> None:
    """The caller has lifted what they replace."""
    if entries:
        rows = [_row(entry) for entry in entries]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        await tx.execute(_INSERT, columns | {"campaign": campaign_id, "by": by, "now": now})


def _row(entry: Entry) -> dict[str, Any]:
    subject, terms = entry.subject, entry.terms
    identity = subject if isinstance(subject, Identity) else None
    person = subject if isinstance(subject, HotId) else None
    return {
        "id": entry.id,
        "list": terms.list,
        "identity_hash": identity and identity.hash,
        "id_number_sealed": identity and identity.sealed,
        "id_number_masked": identity and identity.masked,
        "bucket": None if person is None else person.bucket,
        "person_id": None if person is None else person.uuid,
        "reason": terms.reason,
        "appeal_note": terms.appeal_note,
        "expires_at": terms.expires_at,
    }


async def lift(
    tx: Tx, campaign_id: UUID, ids: Sequence[UUID], *, by: UUID, reason: str, now: datetime
) -> set[UUID]:
    """Ends these entries; returns those that nobody had lifted before."""
    if not ids:
        return set()
    values = {"campaign": campaign_id, "ids": list(ids), "by": by, "reason": reason, "now": now}
    return set((await tx.execute(_LIFT, values)).scalars())


async def one(tx: Tx, campaign_id: UUID, exclusion_id: UUID) -> Exclusion | None:
    row = (await tx.execute(_ONE, {"campaign": campaign_id, "id": exclusion_id})).one_or_none()
    return None if row is None else Exclusion(*row)


async def page(
    tx: Tx,
    campaign_id: UUID,
    wanted: Filter,
    *,
    now: datetime,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Exclusion]:
    """Newest first, from behind a position."""
    before_at, before_id = before or (None, None)
    values = {
        "campaign": campaign_id,
        "list": wanted.list,
        "in_force": wanted.in_force,
        "now": now,
        "before_at": before_at,
        "before_id": before_id,
        "limit": limit,
    }
    return [Exclusion(*row) for row in await tx.execute(_PAGE, values)]


async def is_imported(tx: Tx, campaign_id: UUID, file_hash: bytes) -> bool:
    statement = select(ExclusionImportRow.rows).where(
        ExclusionImportRow.campaign_id == campaign_id, ExclusionImportRow.file_hash == file_hash
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def remember_import(
    tx: Tx, campaign_id: UUID, file_hash: bytes, *, rows: int, accepted: int, by: UUID, now: datetime
) -> None:
    await tx.execute(
        insert(ExclusionImportRow).values(
            campaign_id=campaign_id,
            file_hash=file_hash,
            rows=rows,
            accepted=accepted,
            imported_by=by,
            imported_at=now,
        )
    )
