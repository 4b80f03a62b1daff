from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from services.issuance.photos.rules import Picture, look_bands
from services.issuance.photos.tables import PhotoRow
from shared.db import Tx
from shared.ids import HotId

# A photo that its person uploaded before is that photo; counting the repetition makes it a write.
_KEEP = text("""
    INSERT INTO issuance.photo AS p (
        bucket, id, person_id, content_hash, address, width, height, look, look_bands, uploaded_at)
    SELECT :bucket, :id, :person, :content_hash, :address, :width, :height, :look,
           CAST(:look_bands AS bigint[]), :now
    WHERE (SELECT count(*) FROM issuance.photo
           WHERE bucket = :bucket AND person_id = :person AND activity_id IS NULL) < :unused_max
       OR EXISTS (SELECT FROM issuance.photo
                  WHERE bucket = :bucket AND person_id = :person AND content_hash = :content_hash)
    ON CONFLICT (bucket, person_id, content_hash) DO UPDATE SET uploads = p.uploads + 1
    RETURNING p.bucket, p.id, p.width, p.height, p.uploads > 1 AS known
""")
_ATTACH = text("""
    UPDATE issuance.photo p SET activity_id = :activity, position = u.place - 1
    FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS u (id, place)
    WHERE p.bucket = :bucket AND p.id = u.id AND p.person_id = :person AND p.activity_id IS NULL
    RETURNING p.id
""")
_DROP_UNUSED = text("""
    DELETE FROM issuance.photo
    WHERE (bucket, id) IN (
        SELECT bucket, id FROM issuance.photo WHERE activity_id IS NULL AND uploaded_at < :before
        ORDER BY uploaded_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING address
""")


@dataclass(frozen=True, slots=True)
class Kept:
    """`known`: the person had uploaded it before, and this is that photo."""

    id: HotId
    width: int
    height: int
    known: bool


async def keep(
    tx: Tx,
    photo_id: HotId,
    person_id: UUID,
    picture: Picture,
    *,
    address: str,
    now: datetime,
    unused_max: int,
) -> Kept | None:
    """The photo, or the same one from before; None when the person has too many that nothing uses."""
    values = {
        "bucket": photo_id.bucket,
        "id": photo_id.uuid,
        "person": person_id,
        "content_hash": picture.content_hash,
        "address": address,
        "width": picture.width,
        "height": picture.height,
        "look": picture.look,
        "look_bands": look_bands(picture.look),
        "now": now,
        "unused_max": unused_max,
    }
    row = (await tx.execute(_KEEP, values)).one_or_none()
    return None if row is None else Kept(HotId(row.bucket, row.id), row.width, row.height, row.known)


async def attach(tx: Tx, person: HotId, photo_ids: Sequence[UUID], activity_id: UUID) -> set[UUID]:
    """Gives photos to an activity; returns those that were this person's and free, and locks them."""
    values = {
        "ids": list(photo_ids),
        "bucket": person.bucket,
        "person": person.uuid,
        "activity": activity_id,
    }
    return set((await tx.execute(_ATTACH, values)).scalars())


async def used(tx: Tx, person: HotId, photo_ids: Sequence[UUID]) -> set[UUID]:
    """Those of this person that belong to an activity."""
    statement = select(PhotoRow.id).where(
        PhotoRow.bucket == person.bucket,
        PhotoRow.id.in_(photo_ids),
        PhotoRow.person_id == person.uuid,
        PhotoRow.activity_id.is_not(None),
    )
    return set((await tx.execute(statement)).scalars())


async def address_of(tx: Tx, photo_id: HotId) -> str | None:
    statement = select(PhotoRow.address).where(
        PhotoRow.bucket == photo_id.bucket, PhotoRow.id == photo_id.uuid
    )
    return (await tx.execute(statement)).scalar_one_or_none()


async def drop_unused(tx: Tx, *, before: datetime, limit: int) -> list[str]:
    """Removes photos that nothing used by then; returns the addresses of their pictures."""
    return list((await tx.execute(_DROP_UNUSED, {"before": before, "limit": limit})).scalars())
