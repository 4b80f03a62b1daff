from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from services.quota.cards.tables import CardImportRow
from shared.db import Database, Tx
from shared.signing import NONCE_LIFE, SignatureHeader


@dataclass(frozen=True, slots=True)
class Batch:
    """Events as columns, in their order: what the counting function takes."""

    event_buckets: Sequence[int]
    event_ids: Sequence[str]
    buckets: Sequence[int]
    holders: Sequence[bytes]
    kinds: Sequence[str]
    scenes: Sequence[str | None]
    codes: Sequence[str | None]
    ats: Sequence[datetime]
    devices: Sequence[int | None]


_KNOWN = text("""
    SELECT count(*)
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS text[])) AS u (bucket, event_id)
    JOIN quota.card_event_key k
      ON k.bucket = u.bucket AND k.programme_id = :programme AND k.event_id = u.event_id
""")
_COUNT = text("""
    SELECT ord, outcome FROM quota.count_card_events(
        :programme, :now, :source, CAST(:event_buckets AS smallint[]), CAST(:event_ids AS text[]),
        CAST(:buckets AS smallint[]), CAST(:holders AS bytea[]), CAST(:kinds AS text[]),
        CAST(:scenes AS text[]), CAST(:codes AS text[]), CAST(:ats AS timestamptz[]),
        CAST(:devices AS bigint[]))
    ORDER BY ord
""")
_COUNT_SIGNED = """
    SELECT quota.count_signed_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""


async def count_signed(
    database: Database, slug: str, header: SignatureHeader, batch: Batch, *, source: str, now: datetime
) -> list[str] | None:
    """Uses the nonce up and counts the batch, in one transaction; None when the nonce was used before.

    One outcome for each event, in order, durable. Locks: the nonce, then as in functions.sql.
    """
    rows = await database.call(
        _COUNT_SIGNED,
        slug,
        header.key_id,
        header.nonce,
        now + NONCE_LIFE,
        now,
        source,
        batch.event_buckets,
        batch.event_ids,
        batch.buckets,
        batch.holders,
        batch.kinds,
        batch.scenes,
        batch.codes,
        batch.ats,
        batch.devices,
    )
    outcomes: list[str] | None = rows[0][0]
    return outcomes


async def count_events(tx: Tx, programme_id: UUID, batch: Batch, *, source: str, now: datetime) -> list[str]:
    """Counts a batch exactly once; one outcome for each event, in order. Locks as in functions.sql."""
    rows = await tx.execute(
        _COUNT,
        {
            "programme": programme_id,
            "now": now,
            "source": source,
            "event_buckets": batch.event_buckets,
            "event_ids": batch.event_ids,
            "buckets": batch.buckets,
            "holders": batch.holders,
            "kinds": batch.kinds,
            "scenes": batch.scenes,
            "codes": batch.codes,
            "ats": batch.ats,
            "devices": batch.devices,
        },
    )
    return [row.outcome for row in rows]


async def known_events(tx: Tx, programme_id: UUID, buckets: Mapping[str, int]) -> int:
    """How many of these events, each with the bucket of its key, have been counted before."""
    values = {"programme": programme_id, "ids": list(buckets), "buckets": list(buckets.values())}
    return int((await tx.execute(_KNOWN, values)).scalar_one())


async def import_progress(tx: Tx, job_id: UUID) -> tuple[int, dict[str, int]]:
    """How many of the file's events the job has counted, and what they came to."""
    statement = select(CardImportRow.counted, CardImportRow.outcomes).where(CardImportRow.job_id == job_id)
    row = (await tx.execute(statement)).one_or_none()
    return (0, {}) if row is None else (row.counted, row.outcomes)


async def move_import(tx: Tx, job_id: UUID, counted: int, outcomes: dict[str, int]) -> None:
    """In the transaction that counted these events."""
    values: dict[str, Any] = {"job_id": job_id, "counted": counted, "outcomes": outcomes}
    statement = insert(CardImportRow).values(values)
    await tx.execute(statement.on_conflict_do_update(index_elements=["job_id"], set_=values))
