"""SQL that writes phases: with their first versions, their stock, and every version after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, text

from services.issuance.campaigns.rules import threshold_of
from services.issuance.campaigns.store import QuizTerms
from services.issuance.campaigns.tables import (
    AwardPoolRow,
    OddsVersionRow,
    PhaseRow,
    PhaseStockRow,
    QuizRuleRow,
    StockMoveRow,
)
from services.issuance.phases.rules import Unspent
from services.issuance.phases.tables import StockReturnRow
from shared.db import Tx
from shared.ids import new_id

# What expired vouchers gave back of each payer, less what was carried over before.
_UNSPENT = text("""
    SELECT s.voucher_type, t.amount_fen, s.remaining, coalesce(gone.pieces, 0) AS expired,
           coalesce(carried.pieces, 0) AS returned,
           core.amounts_add(gone.split_fen, carried.value_fen) AS back_fen
    FROM issuance.phase p
    JOIN issuance.phase_stock s ON s.phase_id = p.id
    JOIN core.voucher_type t ON t.campaign_id = p.campaign_id AND t.key = s.voucher_type
    LEFT JOIN (
        SELECT voucher_type, count(*) AS pieces, core.amounts_sum(split_fen) AS split_fen
        FROM core.voucher
        WHERE campaign_id = :campaign_id AND phase_seq = :seq AND state = 'expired'
        GROUP BY voucher_type
    ) gone ON gone.voucher_type = s.voucher_type
    LEFT JOIN LATERAL (
        SELECT core.amounts_sum(ARRAY(SELECT -fen FROM unnest(r.value_fen) WITH ORDINALITY AS v (fen, i)
                                      ORDER BY i)) AS value_fen,
               sum(r.pieces)::bigint AS pieces
        FROM issuance.stock_return r
        WHERE r.phase_id = p.id AND r.voucher_type = s.voucher_type
    ) carried ON true
    WHERE p.campaign_id = :campaign_id AND p.seq = :seq
    ORDER BY t.position
""")
_RETURN_EXPIRED = text("""
    UPDATE issuance.phase_stock SET returned = returned + :pieces, put_in = put_in - :pieces
    WHERE phase_id = :phase_id AND voucher_type = :voucher_type
""")


@dataclass(frozen=True, slots=True)
class LastPhase:
    seq: int
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Window:
    id: UUID
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a type, and what its expired vouchers gave back of each payer and still may give."""

    stock: Unspent
    back_fen: list[int]


@dataclass(frozen=True, slots=True)
class NewPhase:
    """A phase as it is published, with the first versions of its odds, quiz rule and stock."""

    id: UUID
    seq: int
    opens_at: datetime
    closes_at: datetime
    seed_sealed: bytes
    seed_commitment: str
    odds_ppm: int
    quiz: QuizTerms
    stock: Mapping[str, int]
    release_seconds: int | None = None
    release_amounts: Mapping[str, int] = field(default_factory=dict)


async def insert_phase(
    tx: Tx,
    campaign_id: UUID,
    phase: NewPhase,
    *,
    change_id: UUID,
    now: datetime,
    reason: str | None = None,
) -> None:
    """The phase with its first versions, its stock and what it can award."""
    await tx.execute(
        insert(PhaseRow).values(
            id=phase.id,
            campaign_id=campaign_id,
            seq=phase.seq,
            opens_at=phase.opens_at,
            closes_at=phase.closes_at,
            release_seconds=phase.release_seconds,
            seed_sealed=phase.seed_sealed,
            seed_commitment=phase.seed_commitment,
        )
    )
    await insert_odds(tx, phase.id, phase.odds_ppm, change_id=change_id, effective_from=now, reason=reason)
    await insert_quiz_rule(tx, phase.id, phase.quiz, change_id=change_id, effective_from=now, reason=reason)
    if phase.stock:
        await tx.execute(
            insert(PhaseStockRow),
            [
                {
                    "phase_id": phase.id,
                    "voucher_type": key,
                    "put_in": count,
                    "remaining": count,
                    "release_amount": phase.release_amounts.get(key),
                }
                for key, count in phase.stock.items()
            ],
        )
    for key, count in phase.stock.items():
        await insert_stock_move(tx, phase.id, key, count, change_id=change_id, at=now, reason=reason)
    await tx.execute(insert(AwardPoolRow).values(phase_id=phase.id, left_to_award=sum(phase.stock.values())))


async def insert_odds(
    tx: Tx,
    phase_id: UUID,
    odds_ppm: int,
    *,
    change_id: UUID,
    effective_from: datetime,
    reason: str | None = None,
) -> None:
    await tx.execute(
        insert(OddsVersionRow).values(
            id=new_id(),
            phase_id=phase_id,
            odds_ppm=odds_ppm,
            threshold=threshold_of(odds_ppm),
            effective_from=effective_from,
            reason=reason,
            change_id=change_id,
        )
    )


async def insert_quiz_rule(
    tx: Tx,
    phase_id: UUID,
    quiz: QuizTerms,
    *,
    change_id: UUID,
    effective_from: datetime,
    reason: str | None = None,
) -> None:
    await tx.execute(
        insert(QuizRuleRow).values(
            id=new_id(),
            phase_id=phase_id,
            questions=quiz.questions,
            pass_score=quiz.pass_score,
            attempts_per_day=quiz.attempts_per_day,
            time_limit_seconds=quiz.time_limit_seconds,
            min_seconds=quiz.min_seconds,
            blueprint=quiz.blueprint,
            repeat_after_attempts=quiz.repeat_after_attempts,
            attempt_token=quiz.attempt_token,
            effective_from=effective_from,
            reason=reason,
            change_id=change_id,
        )
    )


async def insert_stock_move(
    tx: Tx,
    phase_id: UUID,
    voucher_type: str,
    delta: int,
    *,
    change_id: UUID,
    at: datetime,
    reason: str | None = None,
) -> None:
    await tx.execute(
        insert(StockMoveRow).values(
            id=new_id(),
            phase_id=phase_id,
            voucher_type=voucher_type,
            delta=delta,
            reason=reason,
            change_id=change_id,
            at=at,
        )
    )


async def last_phase(tx: Tx, campaign_id: UUID) -> LastPhase:
    """The number of the last phase and when it closes: a campaign has at least one."""
    statement = (
        select(PhaseRow.seq, PhaseRow.closes_at)
        .where(PhaseRow.campaign_id == campaign_id)
        .order_by(PhaseRow.seq.desc())
        .limit(1)
    )
    return LastPhase(*(await tx.execute(statement)).one())


async def window(tx: Tx, campaign_id: UUID, seq: int) -> Window | None:
    statement = select(PhaseRow.id, PhaseRow.closes_at).where(
        PhaseRow.campaign_id == campaign_id, PhaseRow.seq == seq
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Window(*row)


async def unspent(tx: Tx, campaign_id: UUID, seq: int) -> list[Left]:
    """By type, in the order in which people see them; locked by the caller, if it will move any."""
    rows = await tx.execute(_UNSPENT, {"campaign_id": campaign_id, "seq": seq})
    return [Left(Unspent(*row[:5]), list(row.back_fen or ())) for row in rows]


async def left_to_award(tx: Tx, phase_id: UUID) -> int:
    """What open awards leave, locked."""
    statement = select(AwardPoolRow.left_to_award).where(AwardPoolRow.phase_id == phase_id).with_for_update()
    return int((await tx.execute(statement)).scalar_one())


async def return_expired(tx: Tx, phase_id: UUID, voucher_type: str, pieces: int) -> None:
    """Takes pieces that were issued and expired out of the phase; the caller has locked its stock."""
    await tx.execute(_RETURN_EXPIRED, {"phase_id": phase_id, "voucher_type": voucher_type, "pieces": pieces})


async def insert_return(
    tx: Tx,
    phase_id: UUID,
    voucher_type: str,
    pieces: int,
    *,
    value_fen: Sequence[int],
    change_id: UUID,
    at: datetime,
) -> None:
    await tx.execute(
        insert(StockReturnRow).values(
            id=new_id(),
            phase_id=phase_id,
            voucher_type=voucher_type,
            pieces=pieces,
            value_fen=list(value_fen),
            change_id=change_id,
            at=at,
        )
    )
