"""SQL of claims and of what a person holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import text

from services.issuance.phases.rules import Release
from shared.db import Database, Tx
from shared.ids import HotId
from shared.jobs.store import Place
from shared.jobs.walks import Stride

_CLAIM = "SELECT * FROM issuance.claim_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
_COLUMNS = """
    v.bucket, v.id, c.slug, v.voucher_type, t.name, v.kind, v.amount_fen, v.code_hash, v.code_sealed,
    v.state, v.valid_from, v.valid_until, v.issued_at, v.redeemed_at, v.institution_id
    FROM core.voucher v
    JOIN core.campaign c ON c.id = v.campaign_id
    JOIN core.voucher_type t ON t.campaign_id = v.campaign_id AND t.key = v.voucher_type
"""
_VOUCHER = (
    f"SELECT {_COLUMNS} WHERE v.bucket = $1 AND v.id = $2 AND v.person_id = $3 AND v.code_sealed IS NOT NULL"
)
_VOUCHERS = text(f"""
    SELECT {_COLUMNS}
    WHERE v.bucket = :bucket AND v.person_id = :person AND v.code_sealed IS NOT NULL
      AND (CAST(:campaign AS text) IS NULL OR c.slug = :campaign)
      AND (CAST(:before_at AS timestamptz) IS NULL
           OR (v.issued_at, v.id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS uuid)))
    ORDER BY v.issued_at DESC, v.id DESC LIMIT :limit
""")
_RELEASES = """
    SELECT ph.opens_at, ph.closes_at, ph.release_seconds, s.release_amount, s.issued - s.returned
    FROM unnest($1::smallint[], $2::uuid[], $3::text[]) WITH ORDINALITY
         AS u (bucket, award_id, voucher_type, ord)
    JOIN issuance.award a ON a.bucket = u.bucket AND a.id = u.award_id
    JOIN issuance.phase ph ON ph.id = a.phase_id
    JOIN issuance.phase_stock s ON s.phase_id = ph.id AND s.voucher_type = u.voucher_type
    ORDER BY u.ord
"""
# A voucher that is written off at this moment is left alone by core.vouchers_end. Walks along the index of
# valid_until, which holds every voucher: a partial one would cost each write-off.
_EXPIRE = text("""
    WITH due AS MATERIALIZED (
        SELECT bucket, id, valid_until FROM core.voucher
        WHERE (valid_until, id) > (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid))
          AND valid_until <= :ended_before AND state = 'issued'
        ORDER BY valid_until, id LIMIT :limit
    ), sorted AS (
        SELECT array_agg(bucket ORDER BY bucket, id) AS buckets, array_agg(id ORDER BY bucket, id) AS ids
        FROM due
    ), ended AS (
        SELECT voucher_id FROM sorted
        CROSS JOIN LATERAL core.vouchers_end(sorted.buckets, sorted.ids, 'expired', 'system', :now)
    ), last AS (
        SELECT valid_until, id FROM due ORDER BY valid_until DESC, id DESC LIMIT 1
    )
    SELECT (SELECT count(*) FROM ended) AS ended, (SELECT count(*) FROM due) AS found,
           (SELECT valid_until FROM last) AS last_at, (SELECT id FROM last) AS last_id
""")
_EXPIRE_THESE = text("""
    WITH due AS (
        SELECT v.bucket, v.id FROM core.voucher v
        JOIN unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[])) AS u (bucket, id)
            ON u.bucket = v.bucket AND u.id = v.id
        WHERE v.state = 'issued' AND v.valid_until <= :ended_before
    ), sorted AS (
        SELECT array_agg(bucket ORDER BY bucket, id) AS buckets, array_agg(id ORDER BY bucket, id) AS ids
        FROM due
    )
    SELECT count(*) FROM sorted
    CROSS JOIN LATERAL core.vouchers_end(sorted.buckets, sorted.ids, 'expired', 'system', :now)
""")


class CodeTaken(Exception):
    """A new code is one that another voucher has; nothing was written. Happens about never."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim: whose, of which award, under which number, and the voucher that it may become."""

    address: HotId
    person_id: UUID
    award: HotId
    voucher_type: str
    request_no: str
    fingerprint: bytes
    code_hash: bytes
    code_sealed: bytes
    outbox_id: UUID


@dataclass(frozen=True, slots=True)
class Claimed:
    outcome: str
    bucket: int
    voucher_id: UUID
    campaign: str
    voucher_type: str
    name: str
    kind: str
    amount_fen: int
    code_sealed: bytes | None
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    """A release plan, and how many of the type were issued in the phase and did not come back."""

    release: Release
    issued: int


@dataclass(frozen=True, slots=True)
class Voucher:
    bucket: int
    voucher_id: UUID
    campaign: str
    voucher_type: str
    name: str
    kind: str
    amount_fen: int
    code_hash: bytes
    code_sealed: bytes | None
    state: str
    valid_from: datetime
    valid_until: datetime
    issued_at: datetime
    redeemed_at: datetime | None
    institution_id: str | None


async def claim_batch(
    database: Database, claims: Sequence[Claim], *, now: datetime, sent_at: datetime
) -> list[Claimed]:
    """issuance.claim_batch: locks stock rows, then awards; one outcome each, in order.

    Raises:
        CodeTaken: the caller makes new codes.
    """
    try:
        rows = await database.call(
            _CLAIM,
            now,
            sent_at,
            [claim.award.bucket for claim in claims],
            [claim.person_id for claim in claims],
            [claim.award.uuid for claim in claims],
            [claim.voucher_type for claim in claims],
            [claim.request_no for claim in claims],
            [claim.fingerprint for claim in claims],
            [claim.address.uuid for claim in claims],
            [claim.code_hash for claim in claims],
            [claim.code_sealed for claim in claims],
            [claim.outbox_id for claim in claims],
        )
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "uq_voucher_bucket_code_hash":
            raise
        raise CodeTaken from error
    return [Claimed(*row) for row in rows]


async def releases(database: Database, awards: Sequence[HotId], types: Sequence[str]) -> list[Planned]:
    """The release plan of each of these awards' phase and type, all of which have one; locks nothing."""
    rows = await database.call(
        _RELEASES, [award.bucket for award in awards], [award.uuid for award in awards], list(types)
    )
    return [Planned(Release(*row[:4]), row[4]) for row in rows]


async def voucher(database: Database, address: HotId, person_id: UUID) -> Voucher | None:
    """A voucher of this person; locks nothing."""
    rows = await database.call(_VOUCHER, address.bucket, address.uuid, person_id)
    return Voucher(*rows[0]) if rows else None


async def vouchers(
    tx: Tx, owner: HotId, campaign: str | None, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[Voucher]:
    """A person's vouchers, the newest first, from behind a position."""
    before_at, before_id = before or (None, None)
    values = {
        "bucket": owner.bucket,
        "person": owner.uuid,
        "campaign": campaign,
        "before_at": before_at,
        "before_id": before_id,
        "limit": limit,
    }
    return [Voucher(*row) for row in (await tx.execute(_VOUCHERS, values))]


async def expire_vouchers(
    tx: Tx, after: Place, *, now: datetime, ended_before: datetime, limit: int
) -> Stride:
    """Ends the next vouchers behind a place whose time was over by then, by core.vouchers_end."""
    values = {
        "after_at": after.at,
        "after_id": after.id,
        "now": now,
        "ended_before": ended_before,
        "limit": limit,
    }
    row = (await tx.execute(_EXPIRE, values)).one()
    return Stride(row.ended, None if row.found < limit else Place(row.last_at, row.last_id))


async def expire_these(tx: Tx, vouchers: Sequence[HotId], *, now: datetime, ended_before: datetime) -> int:
    """Ends those of these vouchers whose time was over by then; returns how many."""
    values = {
        "buckets": [voucher.bucket for voucher in vouchers],
        "ids": [voucher.uuid for voucher in vouchers],
        "now": now,
        "ended_before": ended_before,
    }
    return int((await tx.execute(_EXPIRE_THESE, values)).scalar_one())
