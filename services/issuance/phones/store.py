"""SQL of phones that wait to be confirmed. The caller holds the person's account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.db import Tx
from shared.ids import HotId

_COLUMNS = (
    "id, phone_sealed, phone_hash, phone_masked, kinds, language, tries, asked_at, expires_at, confirmed_at"
)
_ONE = text(f"SELECT {_COLUMNS} FROM issuance.phone_code WHERE bucket = :bucket AND person_id = :person")
_LOCK = text(
    f"SELECT {_COLUMNS} FROM issuance.phone_code WHERE bucket = :bucket AND person_id = :person FOR UPDATE"
)
_KEEP = text("""
    INSERT INTO issuance.phone_code AS c (
        bucket, person_id, id, phone_sealed, phone_hash, phone_masked, kinds, language, asked_at, expires_at)
    VALUES (:bucket, :person, :id, :sealed, :hash, :masked, CAST(:kinds AS text[]), :language, :now,
            :expires_at)
    ON CONFLICT (bucket, person_id) DO UPDATE
    SET id = excluded.id, phone_sealed = excluded.phone_sealed, phone_hash = excluded.phone_hash,
        phone_masked = excluded.phone_masked, kinds = excluded.kinds, language = excluded.language, tries = 0,
        asked_at = excluded.asked_at, expires_at = excluded.expires_at, confirmed_at = NULL
""")
_SET_KINDS = text("""
    UPDATE issuance.phone_code SET kinds = CAST(:kinds AS text[])
    WHERE bucket = :bucket AND person_id = :person
""")
_MISS = text(
    "UPDATE issuance.phone_code SET tries = tries + 1 WHERE bucket = :bucket AND person_id = :person"
)
_CONFIRM = text("""
    UPDATE issuance.phone_code SET confirmed_at = :now WHERE bucket = :bucket AND person_id = :person
""")
_DROP = text("DELETE FROM issuance.phone_code WHERE bucket = :bucket AND person_id = :person")
# Of two at once that would send the last one of a day, the second finds it sent.
_COUNT = text("""
    INSERT INTO issuance.phone_code_day AS d (day, key_hash, sends) VALUES (:day, :key, 1)
    ON CONFLICT (day, key_hash) DO UPDATE SET sends = d.sends + 1 WHERE d.sends < :most
    RETURNING sends
""")
_FORGET_CODES = text("DELETE FROM issuance.phone_code WHERE expires_at <= :now")
_FORGET_DAYS = text("DELETE FROM issuance.phone_code_day WHERE day < :day")


@dataclass(frozen=True, slots=True)
class Phone:
    sealed: bytes
    hashed: bytes
    masked: str


@dataclass(frozen=True, slots=True)
class Pending:
    id: UUID
    sealed: bytes
    hashed: bytes
    masked: str
    kinds: list[str]
    language: str
    tries: int
    asked_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None

    @property
    def phone(self) -> Phone:
        return Phone(self.sealed, self.hashed, self.masked)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A code for a phone, and what is to go there once it is confirmed."""

    id: UUID
    phone: Phone
    kinds: Sequence[str]
    language: str
    expires_at: datetime


async def pending(tx: Tx, owner: HotId, *, lock: bool = False) -> Pending | None:
    row = (await tx.execute(_LOCK if lock else _ONE, _of(owner))).one_or_none()
    return None if row is None else Pending(*row)


async def keep(tx: Tx, owner: HotId, wanted: Wanted, now: datetime) -> None:
    """In place of whatever waited before."""
    values = _of(owner) | {
        "id": wanted.id,
        "sealed": wanted.phone.sealed,
        "hash": wanted.phone.hashed,
        "masked": wanted.phone.masked,
        "kinds": list(wanted.kinds),
        "language": wanted.language,
        "now": now,
        "expires_at": wanted.expires_at,
    }
    await tx.execute(_KEEP, values)


async def set_kinds(tx: Tx, owner: HotId, kinds: Sequence[str]) -> None:
    await tx.execute(_SET_KINDS, _of(owner) | {"kinds": list(kinds)})


async def miss(tx: Tx, owner: HotId) -> None:
    """Counts a wrong try; the caller has locked the row."""
    await tx.execute(_MISS, _of(owner))


async def confirm(tx: Tx, owner: HotId, now: datetime) -> None:
    await tx.execute(_CONFIRM, _of(owner) | {"now": now})


async def drop(tx: Tx, owner: HotId) -> None:
    await tx.execute(_DROP, _of(owner))


async def count(tx: Tx, key_hash: bytes, day: date, *, most: int) -> bool:
    """Counts a send; False when there were as many as may be on that day. Locks the counter."""
    values = {"key": key_hash, "day": day, "most": most}
    return (await tx.execute(_COUNT, values)).one_or_none() is not None


async def forget(tx: Tx, now: datetime, day: date) -> None:
    """Codes that are no longer good, and counters from before that day."""
    await tx.execute(_FORGET_CODES, {"now": now})
    await tx.execute(_FORGET_DAYS, {"day": day})


def _of(owner: HotId) -> dict[str, Any]:
    return {"bucket": owner.bucket, "person": owner.uuid}
