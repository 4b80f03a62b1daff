"""SQL of how people want to be told: language, SMS, and what they agreed to at WeChat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from services.issuance.phones.store import Phone
from shared.db import Tx
from shared.ids import HotId

_TAKE_GRANT = text("""
    UPDATE issuance.notice_grant SET grants_left = grants_left - :taken, updated_at = :now
    WHERE bucket = :bucket AND person_id = :person AND template_id = :template AND grants_left > 0
    RETURNING grants_left
""")
_RETURN_GRANT = text("""
    UPDATE issuance.notice_grant SET grants_left = grants_left + 1, updated_at = :now
    WHERE bucket = :bucket AND person_id = :person AND template_id = :template
""")
_DROP_GRANTS = text("""
    UPDATE issuance.notice_grant SET grants_left = 0, updated_at = :now
    WHERE bucket = :bucket AND person_id = :person AND template_id = :template
""")
_REPORT_GRANTS = text("""
    INSERT INTO issuance.notice_grant AS g (bucket, person_id, template_id, grants_left, updated_at)
    SELECT :bucket, :person, template_id, delta, :now
    FROM unnest(CAST(:templates AS text[]), CAST(:deltas AS integer[])) AS u (template_id, delta)
    ORDER BY template_id
    ON CONFLICT (bucket, person_id, template_id) DO UPDATE
    SET grants_left = CASE WHEN excluded.grants_left = 0 THEN 0
                           ELSE least(g.grants_left + excluded.grants_left, :most) END,
        updated_at = :now
""")
_GRANTS = text("""
    SELECT template_id, grants_left FROM issuance.notice_grant WHERE bucket = :bucket AND person_id = :person
""")
_PREFERENCE = text("""
    SELECT language, sms_enabled, sms_kinds, phone_sealed, phone_hash, phone_masked
    FROM issuance.notice_preference WHERE bucket = :bucket AND person_id = :person
""")
_LOCK_PREFERENCE = text("""
    INSERT INTO issuance.notice_preference AS p (bucket, person_id, sms_kinds, updated_at)
    VALUES (:bucket, :person, '{}', :now)
    ON CONFLICT (bucket, person_id) DO UPDATE SET updated_at = :now
    RETURNING language, sms_enabled, sms_kinds, phone_sealed, phone_hash, phone_masked
""")
_SET_LANGUAGE = text("""
    UPDATE issuance.notice_preference SET language = :language WHERE bucket = :bucket AND person_id = :person
""")
_SET_SMS = text("""
    UPDATE issuance.notice_preference
    SET sms_enabled = :enabled, sms_kinds = CAST(:kinds AS text[]), phone_sealed = :sealed,
        phone_hash = :hash, phone_masked = :masked
    WHERE bucket = :bucket AND person_id = :person
""")
_KEEP_SMS = text("""
    UPDATE issuance.notice_preference SET sms_enabled = true, sms_kinds = CAST(:kinds AS text[])
    WHERE bucket = :bucket AND person_id = :person
""")


@dataclass(frozen=True, slots=True)
class Preference:
    language: str
    sms_enabled: bool
    sms_kinds: list[str]
    phone_sealed: bytes | None
    phone_hash: bytes | None
    phone_masked: str | None


NO_PREFERENCE = Preference(
    "zh", sms_enabled=False, sms_kinds=[], phone_sealed=None, phone_hash=None, phone_masked=None
)


async def take_grant(tx: Tx, owner: HotId, template_id: str, *, once: bool, now: datetime) -> bool:
    """Uses up a consent (`once`), or looks whether there is one. False when there is none."""
    values = _of(owner) | {"template": template_id, "taken": 1 if once else 0, "now": now}
    return (await tx.execute(_TAKE_GRANT, values)).one_or_none() is not None


async def return_grant(tx: Tx, owner: HotId, template_id: str, now: datetime) -> None:
    await tx.execute(_RETURN_GRANT, _of(owner) | {"template": template_id, "now": now})


async def drop_grants(tx: Tx, owner: HotId, template_id: str, now: datetime) -> None:
    """WeChat says that there is no consent: it knows better."""
    await tx.execute(_DROP_GRANTS, _of(owner) | {"template": template_id, "now": now})


async def report_grants(tx: Tx, owner: HotId, given: Mapping[str, int], *, most: int, now: datetime) -> None:
    """Adds consents by template, up to `most`; 0 takes all of a template away."""
    values = _of(owner) | {
        "templates": list(given),
        "deltas": list(given.values()),
        "most": most,
        "now": now,
    }
    await tx.execute(_REPORT_GRANTS, values)


async def grants(tx: Tx, owner: HotId) -> dict[str, int]:
    return {row.template_id: row.grants_left for row in await tx.execute(_GRANTS, _of(owner))}


async def preference(tx: Tx, owner: HotId) -> Preference | None:
    row = (await tx.execute(_PREFERENCE, _of(owner))).one_or_none()
    return None if row is None else Preference(*row)


async def lock_preference(tx: Tx, owner: HotId, now: datetime) -> Preference:
    """The person's row, made when there was none, locked."""
    return Preference(*(await tx.execute(_LOCK_PREFERENCE, _of(owner) | {"now": now})).one())


async def set_language(tx: Tx, owner: HotId, language: str) -> None:
    await tx.execute(_SET_LANGUAGE, _of(owner) | {"language": language})


async def set_sms(tx: Tx, owner: HotId, kinds: Sequence[str], phone: Phone | None) -> None:
    """On with this phone, or off without one: then the number is forgotten."""
    values = _of(owner) | {
        "enabled": phone is not None,
        "kinds": list(kinds),
        "sealed": phone and phone.sealed,
        "hash": phone and phone.hashed,
        "masked": phone and phone.masked,
    }
    await tx.execute(_SET_SMS, values)


async def keep_sms(tx: Tx, owner: HotId, kinds: Sequence[str]) -> None:
    """On with the phone that is known already."""
    await tx.execute(_KEEP_SMS, _of(owner) | {"kinds": list(kinds)})


def _of(owner: HotId) -> dict[str, Any]:
    return {"bucket": owner.bucket, "person": owner.uuid}
