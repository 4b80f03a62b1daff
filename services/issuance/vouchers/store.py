"""SQL of looking vouchers up and of revoking them. Locks: fund, stock, award pool, then the voucher."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.db import Tx
from shared.ids import HotId

_ITEM = """
    SELECT v.bucket, v.id, c.slug, v.phase_seq, v.voucher_type, t.name, v.kind, v.amount_fen, v.state,
           v.valid_from, v.valid_until, v.issued_at, v.redeemed_at, v.institution_id, v.person_id,
           p.name_masked
    FROM core.voucher v
    JOIN core.campaign c ON c.id = v.campaign_id
    JOIN core.voucher_type t ON t.campaign_id = v.campaign_id AND t.key = v.voucher_type
    LEFT JOIN core.person p ON p.bucket = v.bucket AND p.id = v.person_id
"""
_ONE = text(_ITEM + " WHERE v.bucket = :bucket AND v.id = :id")
_BY_CODE = text(_ITEM + " WHERE v.bucket = :bucket AND v.code_hash = :code_hash")
# By campaign (index on campaign and issue) or by holder (index on person): one of them is always given.
_FITTING = """
    WHERE {by}
      AND (CAST(:type AS text) IS NULL OR v.voucher_type = :type)
      AND (CAST(:state AS text) IS NULL OR v.state = :state)
      AND (NOT :alive OR v.valid_until > :now)
      AND (NOT :ended OR v.state = 'expired' OR (v.state = 'issued' AND v.valid_until <= :now))
      AND (CAST(:issued_from AS timestamptz) IS NULL OR v.issued_at >= :issued_from)
      AND (CAST(:issued_before AS timestamptz) IS NULL OR v.issued_at < :issued_before)
"""
_PAGE = (
    _ITEM
    + _FITTING
    + """
      AND (CAST(:after_at AS timestamptz) IS NULL
           OR (v.issued_at, v.id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
    ORDER BY v.issued_at DESC, v.id DESC LIMIT :limit
"""
)
_COUNT = "SELECT count(*) FROM core.voucher v JOIN core.campaign c ON c.id = v.campaign_id" + _FITTING
_CAMPAIGN = "v.campaign_id = (SELECT id FROM core.campaign WHERE slug = CAST(:campaign AS text))"
_HOLDER = (
    "v.bucket = :bucket AND v.person_id = :person AND (CAST(:campaign AS text) IS NULL OR c.slug = :campaign)"
)
_OF_CAMPAIGN, _OF_HOLDER = text(_PAGE.format(by=_CAMPAIGN)), text(_PAGE.format(by=_HOLDER))
_HOW_MANY_OF_CAMPAIGN = text(_COUNT.format(by=_CAMPAIGN))
_HOW_MANY_OF_HOLDER = text(_COUNT.format(by=_HOLDER))
# The key's first column bounds it to one bucket, a thousandth of all transfers.
_HISTORY = text("""
    SELECT kind, at, core.amounts_total(amounts_fen), institution_id, actor
    FROM core.ledger_transfer WHERE bucket = :bucket AND voucher_id = :id ORDER BY at, kind
""")
_PHASE = text("""
    SELECT ph.id FROM core.voucher v
    JOIN issuance.phase ph ON ph.campaign_id = v.campaign_id AND ph.seq = v.phase_seq
    WHERE v.bucket = :bucket AND v.id = :id
""")
_LOCK_PIECES = text("SELECT issuance.lock_pieces(ARRAY[CAST(:phase AS uuid)])")
_REVOKE = text("""
    SELECT count(*) FROM issuance.revoke_vouchers(
        ARRAY[CAST(:bucket AS smallint)], ARRAY[CAST(:id AS uuid)], :actor, :now)
""")
_STATE = text("SELECT state FROM core.voucher WHERE bucket = :bucket AND id = :id")


@dataclass(frozen=True, slots=True)
class Found:
    """A voucher as staff see it: of the holder no more than the masked name."""

    bucket: int
    id: UUID
    campaign: str
    phase_seq: int
    voucher_type: str
    name: str
    kind: str
    amount_fen: int
    state: str
    valid_from: datetime
    valid_until: datetime
    issued_at: datetime
    redeemed_at: datetime | None
    institution_id: str | None
    person_id: UUID
    name_masked: str | None


@dataclass(frozen=True, slots=True)
class Transfer:
    kind: str
    at: datetime
    amount_fen: int
    institution_id: str | None
    actor: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for; `alive`: not past its time; `ended`: expired, or past its time and not used."""

    campaign: str | None
    holder: HotId | None
    voucher_type: str | None
    state: str | None
    alive: bool
    ended: bool
    issued_from: datetime | None
    issued_before: datetime | None


async def one(tx: Tx, voucher: HotId) -> Found | None:
    row = (await tx.execute(_ONE, _of(voucher))).one_or_none()
    return None if row is None else Found(*row)


async def by_code(tx: Tx, bucket: int, code_hash: bytes) -> Found | None:
    row = (await tx.execute(_BY_CODE, {"bucket": bucket, "code_hash": code_hash})).one_or_none()
    return None if row is None else Found(*row)


async def page(
    tx: Tx, wanted: Wanted, *, now: datetime, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Found]:
    """Vouchers from behind a place, newest first."""
    after_at, after_id = after or (None, None)
    values = _fitting(wanted, now) | {"after_at": after_at, "after_id": after_id, "limit": limit}
    statement = _OF_CAMPAIGN if wanted.holder is None else _OF_HOLDER
    return [Found(*row) for row in await tx.execute(statement, values)]


async def how_many(tx: Tx, wanted: Wanted, *, now: datetime) -> int:
    """Vouchers that fit, on all pages together."""
    statement = _HOW_MANY_OF_CAMPAIGN if wanted.holder is None else _HOW_MANY_OF_HOLDER
    return int((await tx.execute(statement, _fitting(wanted, now))).scalar_one())


def _fitting(wanted: Wanted, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {
        "campaign": wanted.campaign,
        "type": wanted.voucher_type,
        "state": wanted.state,
        "alive": wanted.alive,
        "ended": wanted.ended,
        "issued_from": wanted.issued_from,
        "issued_before": wanted.issued_before,
        "now": now,
    }
    if wanted.holder is not None:
        values |= {"bucket": wanted.holder.bucket, "person": wanted.holder.uuid}
    return values


async def history(tx: Tx, voucher: HotId) -> list[Transfer]:
    """What moved the money of a voucher, oldest first."""
    return [Transfer(*row) for row in await tx.execute(_HISTORY, _of(voucher))]


async def state_of(tx: Tx, voucher: HotId) -> str | None:
    state: str | None = (await tx.execute(_STATE, _of(voucher))).scalar_one_or_none()
    return state


async def lock_piece(tx: Tx, voucher: HotId) -> None:
    """Locks what the voucher would return to: its campaign's fund and stock, and the pool of its phase."""
    phase = (await tx.execute(_PHASE, _of(voucher))).scalar_one()
    await tx.execute(_LOCK_PIECES, {"phase": phase})


async def revoke(tx: Tx, voucher: HotId, *, actor: str, now: datetime) -> bool:
    """Issued → revoked, value and piece returned; False when it was not issued any more. Locks it."""
    values = _of(voucher) | {"actor": actor, "now": now}
    return bool((await tx.execute(_REVOKE, values)).scalar_one())


def _of(voucher: HotId) -> dict[str, Any]:
    return {"bucket": voucher.bucket, "id": voucher.uuid}
