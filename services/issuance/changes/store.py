"""SQL of changes to a running campaign. Locks in this order: fund, phase, stock row, award pool."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from services.issuance.campaigns.tables import PhaseRow
from shared.db import Tx

_STOCK = text("""
    SELECT t.amount_fen, coalesce(s.put_in, 0), coalesce(s.remaining, 0), a.left_to_award
    FROM core.voucher_type t
    JOIN issuance.award_pool a ON a.phase_id = :phase_id
    LEFT JOIN issuance.phase_stock s ON s.phase_id = :phase_id AND s.voucher_type = t.key
    WHERE t.campaign_id = :campaign_id AND t.key = :voucher_type
""")
_FIRST_STOCK = text("""
    INSERT INTO issuance.phase_stock (phase_id, voucher_type, put_in, remaining)
    VALUES (:phase_id, :voucher_type, 0, 0) ON CONFLICT DO NOTHING
""")
_MOVE_STOCK = text("""
    UPDATE issuance.phase_stock SET put_in = put_in + :delta, remaining = remaining + :delta
    WHERE phase_id = :phase_id AND voucher_type = :voucher_type AND remaining + :delta >= 0
    RETURNING remaining
""")
_MOVE_POOL = text("""
    UPDATE issuance.award_pool SET left_to_award = left_to_award + :delta
    WHERE phase_id = :phase_id AND left_to_award + :delta >= 0
    RETURNING left_to_award
""")
# Two versions never begin at the same instant: the later one is in force.
_VERSION_START = """
    SELECT greatest(:now, max(effective_from) + interval '1 microsecond')
    FROM issuance.{table} WHERE phase_id = :phase_id
"""
_ODDS_START = text(_VERSION_START.format(table="odds_version"))
_QUIZ_RULE_START = text(_VERSION_START.format(table="quiz_rule"))


@dataclass(frozen=True, slots=True)
class PhaseRef:
    id: UUID
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class StockState:
    """A type's stock in a phase (zero when it never had any) and what the phase can still award."""

    amount_fen: int
    put_in: int
    remaining: int
    left_to_award: int


async def phase(tx: Tx, campaign_id: UUID, seq: int, *, lock: bool = False) -> PhaseRef | None:
    """The phase; locked, so that its versions begin one after the other. Draws and claims do not wait."""
    statement = select(PhaseRow.id, PhaseRow.closes_at).where(
        PhaseRow.campaign_id == campaign_id, PhaseRow.seq == seq
    )
    if lock:
        statement = statement.with_for_update(key_share=True)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else PhaseRef(*row)


async def stock_state(tx: Tx, campaign_id: UUID, phase_id: UUID, voucher_type: str) -> StockState | None:
    """None when the campaign has no such voucher type."""
    values = {"campaign_id": campaign_id, "phase_id": phase_id, "voucher_type": voucher_type}
    row = (await tx.execute(_STOCK, values)).one_or_none()
    return None if row is None else StockState(*row)


async def move_stock(tx: Tx, phase_id: UUID, voucher_type: str, delta: int) -> bool:
    """Puts stock in or takes it out, of the type and of what can be awarded; False when there is too little.

    Locks the stock row, then the award pool. After False the caller rolls back.
    """
    values = {"phase_id": phase_id, "voucher_type": voucher_type, "delta": delta}
    if delta > 0:
        await tx.execute(_FIRST_STOCK, {"phase_id": phase_id, "voucher_type": voucher_type})
    if (await tx.execute(_MOVE_STOCK, values)).one_or_none() is None:
        return False
    return (await tx.execute(_MOVE_POOL, {"phase_id": phase_id, "delta": delta})).one_or_none() is not None


async def odds_start(tx: Tx, phase_id: UUID, now: datetime) -> datetime:
    """When a new odds version begins; the caller has locked the phase."""
    start: datetime = (await tx.execute(_ODDS_START, {"phase_id": phase_id, "now": now})).scalar_one()
    return start


async def quiz_rule_start(tx: Tx, phase_id: UUID, now: datetime) -> datetime:
    """When a new quiz rule begins; the caller has locked the phase."""
    start: datetime = (await tx.execute(_QUIZ_RULE_START, {"phase_id": phase_id, "now": now})).scalar_one()
    return start
