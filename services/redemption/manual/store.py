"""SQL of manual write-offs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from services.redemption.manual.tables import ManualWriteOffRow
from shared.db import Tx

_OFFER = text("""
    SELECT terminal.status AS terminal, institution.status AS institution,
           min(t.kind) AS kind, min(told.word) AS operator
    FROM redemption.terminal terminal
    JOIN redemption.institution institution ON institution.id = terminal.institution_id
    CROSS JOIN LATERAL redemption.operator_word(
        institution.id, terminal.id, CAST(:operator AS text), institution.operators_required) AS told
    LEFT JOIN redemption.membership m ON m.institution_id = institution.id AND :voucher_type = ANY (m.accepts)
    LEFT JOIN core.campaign c ON c.id = m.campaign_id AND c.manual_write_off
    LEFT JOIN core.voucher_type t ON t.campaign_id = c.id AND t.key = :voucher_type
    WHERE terminal.id = :terminal_id
    GROUP BY terminal.status, institution.status
""")
# The one that ends first; a person rarely has two of a type.
_CANDIDATE = text("""
    SELECT v.bucket, v.code_hash
    FROM core.person_identity p
    JOIN core.voucher v ON v.bucket = p.bucket AND v.person_id = p.person_id
    JOIN core.campaign c ON c.id = v.campaign_id AND c.manual_write_off
    JOIN redemption.membership m ON m.institution_id = :institution_id AND m.campaign_id = v.campaign_id
    WHERE p.identity_hash = :identity_hash AND v.voucher_type = :voucher_type
      AND v.voucher_type = ANY (m.accepts) AND v.state = 'issued'
      AND v.valid_from <= :now AND v.valid_until > :now
    ORDER BY v.valid_until, v.id LIMIT 1
""")
_COUNT = text("SELECT count(*) FROM redemption.manual_write_off WHERE campaign_id = :campaign")
_PAGE = text("""
    SELECT m.bucket, m.redemption_id, m.institution_id, m.terminal_id, r.voucher_type, r.applied_fen, r.state,
           m.reason_sealed, m.at, i.name AS institution, till.label AS terminal
    FROM redemption.manual_write_off m
    JOIN redemption.institution i ON i.id = m.institution_id
    JOIN redemption.terminal till ON till.id = m.terminal_id
    JOIN redemption.redemption r ON r.bucket = m.bucket AND r.id = m.redemption_id
    WHERE m.campaign_id = :campaign
      AND (CAST(:after_at AS timestamptz) IS NULL
           OR (m.at, m.redemption_id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
    ORDER BY m.at DESC, m.redemption_id DESC LIMIT :limit
""")
_CAMPAIGN_OF = text("SELECT campaign_id FROM redemption.redemption WHERE bucket = :bucket AND id = :id")
_FORGET = text("""
    UPDATE redemption.manual_write_off m SET reason_sealed = NULL
    FROM redemption.redemption r
    JOIN core.voucher v ON v.bucket = r.bucket AND v.id = r.voucher_id
    JOIN core.person p ON p.bucket = v.bucket AND p.id = v.person_id
    WHERE m.reason_sealed IS NOT NULL AND r.bucket = m.bucket AND r.id = m.redemption_id
      AND (p.erased_at IS NOT NULL OR p.forgotten_at IS NOT NULL)
""")


@dataclass(frozen=True, slots=True)
class Offer:
    """Who asks, the kind of the vouchers that may be written off so, and what speaks against the operator.

    `kind` None: it is not offered. `operator` None: nothing does.
    """

    terminal: str
    institution: str
    kind: str | None
    operator: str | None


@dataclass(frozen=True, slots=True)
class Candidate:
    bucket: int
    code_hash: bytes


@dataclass(frozen=True, slots=True)
class Item:
    bucket: int
    redemption_id: UUID
    institution_id: str
    terminal_id: str
    voucher_type: str
    applied_fen: int
    state: str
    reason_sealed: bytes | None
    at: datetime
    institution: str
    terminal: str


async def offer(tx: Tx, terminal_id: str, voucher_type: str, operator: str | None) -> Offer:
    """Locks nothing."""
    values = {"terminal_id": terminal_id, "voucher_type": voucher_type, "operator": operator}
    return Offer(*(await tx.execute(_OFFER, values)).one())


async def candidate(
    tx: Tx, *, institution_id: str, identity_hash: bytes, voucher_type: str, now: datetime
) -> Candidate | None:
    """A voucher of the person that could be written off there now. Locks nothing."""
    values = {
        "institution_id": institution_id,
        "identity_hash": identity_hash,
        "voucher_type": voucher_type,
        "now": now,
    }
    row = (await tx.execute(_CANDIDATE, values)).one_or_none()
    return None if row is None else Candidate(*row)


async def campaign_of(tx: Tx, bucket: int, redemption_id: UUID) -> UUID:
    campaign: UUID = (await tx.execute(_CAMPAIGN_OF, {"bucket": bucket, "id": redemption_id})).scalar_one()
    return campaign


async def insert_reason(tx: Tx, values: dict[str, Any]) -> None:
    await tx.execute(insert(ManualWriteOffRow).values(**values))


async def page(tx: Tx, campaign: UUID, *, after: tuple[datetime, UUID] | None, limit: int) -> list[Item]:
    """A campaign's manual write-offs, the newest first, from behind a place."""
    after_at, after_id = after or (None, None)
    values = {"campaign": campaign, "after_at": after_at, "after_id": after_id, "limit": limit}
    return [Item(*row) for row in await tx.execute(_PAGE, values)]


async def count(tx: Tx, campaign: UUID) -> int:
    return int((await tx.execute(_COUNT, {"campaign": campaign})).scalar_one())


async def forget_reasons(tx: Tx) -> None:
    """Drops what tills wrote about people who are forgotten."""
    await tx.execute(_FORGET)
