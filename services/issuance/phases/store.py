"""SQL that writes phases: with their first versions, their stock, and every version after."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert

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
from shared.db import Tx
from shared.ids import new_id


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


async def insert_phase(tx: Tx, campaign_id: UUID, phase: NewPhase, *, change_id: UUID, now: datetime) -> None:
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
    await insert_odds(tx, phase.id, phase.odds_ppm, change_id=change_id, effective_from=now)
    await insert_quiz_rule(tx, phase.id, phase.quiz, change_id=change_id, effective_from=now)
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
        await insert_stock_move(tx, phase.id, key, count, change_id=change_id, at=now)
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
