"""SQL of consent texts and of what an account agreed to. An account's row is locked before its consents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Row, select, text, update
from sqlalchemy.dialects import postgresql

from services.issuance.consents.rules import Kind
from services.issuance.consents.tables import ConsentTextRow
from shared.db import Tx
from shared.identity.tables import AccountRow, ConsentRow

_TEXT = (
    ConsentTextRow.kind,
    ConsentTextRow.version,
    ConsentTextRow.title,
    ConsentTextRow.text,
    ConsentTextRow.effective_from,
    ConsentTextRow.published_at,
)
# True while nothing is published: a platform without texts takes any version.
_KNOWN = text("""
    SELECT NOT EXISTS (SELECT FROM issuance.consent_text WHERE kind = :kind)
        OR EXISTS (SELECT FROM issuance.consent_text
                   WHERE kind = :kind AND version = :version AND effective_from <= :now)
""")
# The text that was agreed to last is the one that is withdrawn from.
_WITHDRAW = text("""
    INSERT INTO core.consent (id, account_id, purpose, text_version, given_at, action, how)
    SELECT :id, c.account_id, c.purpose, c.text_version, :now, 'withdrawn', 'explicit'
    FROM core.consent c JOIN core.account a ON a.id = c.account_id
    WHERE c.account_id = :account_id AND c.action = 'given' AND a.consent_withdrawn_at IS NULL
    ORDER BY c.given_at DESC, c.id DESC LIMIT 1
    RETURNING id
""")


@dataclass(frozen=True, slots=True)
class Text:
    kind: Kind
    version: str
    title: str
    text: str
    effective_from: datetime
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    purpose: str
    version: str
    action: str
    how: str
    at: datetime


async def publish(tx: Tx, published: Text, staff_id: UUID) -> bool:
    """False when the version is taken; waits for a publication of it that is under way."""
    statement = (
        postgresql.insert(ConsentTextRow)
        .values(
            kind=published.kind,
            version=published.version,
            title=published.title,
            text=published.text,
            effective_from=published.effective_from,
            published_by=staff_id,
            published_at=published.published_at,
        )
        .on_conflict_do_nothing()
        .returning(ConsentTextRow.version)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def texts(tx: Tx, kind: Kind | None) -> list[Text]:
    """All published texts, those that are in effect last first: they are few."""
    statement = select(*_TEXT).order_by(ConsentTextRow.effective_from.desc(), ConsentTextRow.version.desc())
    if kind is not None:
        statement = statement.where(ConsentTextRow.kind == kind)
    return [_text(row) for row in await tx.execute(statement)]


async def text_in_force(tx: Tx, kind: Kind, now: datetime) -> Text | None:
    statement = (
        select(*_TEXT)
        .where(ConsentTextRow.kind == kind, ConsentTextRow.effective_from <= now)
        .order_by(ConsentTextRow.effective_from.desc(), ConsentTextRow.published_at.desc())
        .limit(1)
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else _text(row)


async def text_of(tx: Tx, kind: Kind, version: str) -> Text | None:
    statement = select(*_TEXT).where(ConsentTextRow.kind == kind, ConsentTextRow.version == version)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else _text(row)


async def is_known(tx: Tx, kind: Kind, version: str, now: datetime) -> bool:
    """Whether this version can be agreed to."""
    values = {"kind": kind, "version": version, "now": now}
    return bool((await tx.execute(_KNOWN, values)).scalar_one())


async def withdraw(tx: Tx, consent_id: UUID, account_id: UUID, now: datetime) -> bool:
    """Takes consent back; False when there is none in force. The caller has locked the account."""
    values = {"id": consent_id, "account_id": account_id, "now": now}
    if (await tx.execute(_WITHDRAW, values)).one_or_none() is None:
        return False
    await tx.execute(update(AccountRow).where(AccountRow.id == account_id).values(consent_withdrawn_at=now))
    return True


async def consents(tx: Tx, account_id: UUID) -> Sequence[Consent]:
    """What the account agreed to and took back, oldest first."""
    statement = (
        select(
            ConsentRow.purpose,
            ConsentRow.text_version,
            ConsentRow.action,
            ConsentRow.how,
            ConsentRow.given_at,
        )
        .where(ConsentRow.account_id == account_id)
        .order_by(ConsentRow.given_at, ConsentRow.id)
    )
    return [Consent(*row) for row in await tx.execute(statement)]


async def is_withdrawn(tx: Tx, account_id: UUID) -> bool:
    statement = select(AccountRow.consent_withdrawn_at.is_not(None)).where(AccountRow.id == account_id)
    return bool((await tx.execute(statement)).scalar_one())


def _text(row: Row[str, str, str, str, datetime, datetime]) -> Text:
    return Text(cast("Kind", row[0]), *row[1:])
