"""SQL of campaigns as issuance runs them. The catalogue (campaign, types, fund) is shared/vouchers'."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text

from services.issuance.campaigns.rules import threshold_of
from services.issuance.campaigns.tables import (
    AwardPoolRow,
    CampaignRulesRow,
    ChannelRow,
    OddsVersionRow,
    PhaseRow,
    PhaseStockRow,
    QuizRuleRow,
    StockMoveRow,
)
from shared.db import Tx
from shared.ids import new_id

# The version in force is the latest one that has begun.
_PHASES = text("""
    SELECT p.id, p.campaign_id, p.seq, p.opens_at, p.closes_at, p.seed_commitment, o.odds_ppm,
           q.questions, q.pass_score, q.attempts_per_day, q.time_limit_seconds, q.min_seconds, q.blueprint,
           q.repeat_after_attempts
    FROM issuance.phase p
    CROSS JOIN LATERAL (
        SELECT odds_ppm FROM issuance.odds_version
        WHERE phase_id = p.id AND effective_from <= :now ORDER BY effective_from DESC LIMIT 1) o
    CROSS JOIN LATERAL (
        SELECT questions, pass_score, attempts_per_day, time_limit_seconds, min_seconds, blueprint,
               repeat_after_attempts
        FROM issuance.quiz_rule
        WHERE phase_id = p.id AND effective_from <= :now ORDER BY effective_from DESC LIMIT 1) q
    WHERE p.campaign_id = ANY(CAST(:campaigns AS uuid[]))
    ORDER BY p.campaign_id, p.seq
""")
_STOCK = text("""
    SELECT s.phase_id, s.voucher_type, s.put_in, s.remaining
    FROM issuance.phase_stock s
    JOIN issuance.phase p ON p.id = s.phase_id
    LEFT JOIN core.voucher_type t ON t.campaign_id = p.campaign_id AND t.key = s.voucher_type
    WHERE p.campaign_id = ANY(CAST(:campaigns AS uuid[]))
    ORDER BY s.phase_id, t.position
""")
_SEEDS_DUE = text("""
    SELECT id, seed_sealed, seed_commitment FROM issuance.phase
    WHERE seed_revealed IS NULL AND closes_at <= :closed_by
    ORDER BY closes_at FOR UPDATE SKIP LOCKED
""")
_REVEAL_SEED = text("UPDATE issuance.phase SET seed_revealed = :seed WHERE id = :phase_id")


@dataclass(frozen=True, slots=True)
class QuizTerms:
    """The quiz of a phase, as a version of its rule says."""

    questions: int
    pass_score: int
    attempts_per_day: int
    time_limit_seconds: int
    min_seconds: int = 0
    blueprint: dict[str, int | dict[str, int]] | None = None
    repeat_after_attempts: int = 5


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


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase with what is in force in it now."""

    id: UUID
    campaign_id: UUID
    seq: int
    opens_at: datetime
    closes_at: datetime
    seed_commitment: str
    odds_ppm: int
    quiz: QuizTerms


@dataclass(frozen=True, slots=True)
class Stock:
    phase_id: UUID
    voucher_type: str
    put_in: int
    remaining: int


@dataclass(frozen=True, slots=True)
class Channel:
    key: str
    name: str
    chances: int
    per_day: int | None
    review: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """What a campaign's definition says beyond its catalogue and its phases."""

    slogan: str | None
    award_valid_days: int
    vouchers_per_phase: int
    draws_per_day: int


@dataclass(frozen=True, slots=True)
class SealedSeed:
    phase_id: UUID
    seed_sealed: bytes
    seed_commitment: str


async def insert_terms(tx: Tx, campaign_id: UUID, terms: Terms, definition: dict[str, Any]) -> None:
    await tx.execute(
        insert(CampaignRulesRow).values(
            campaign_id=campaign_id,
            slogan=terms.slogan,
            award_valid_days=terms.award_valid_days,
            vouchers_per_phase=terms.vouchers_per_phase,
            draws_per_day=terms.draws_per_day,
            definition=definition,
        )
    )


async def insert_channels(tx: Tx, campaign_id: UUID, channels: Sequence[Channel]) -> None:
    await tx.execute(
        insert(ChannelRow),
        [
            {
                "campaign_id": campaign_id,
                "position": position,
                "key": channel.key,
                "name": channel.name,
                "chances": channel.chances,
                "per_day": channel.per_day,
                "review": channel.review,
            }
            for position, channel in enumerate(channels)
        ],
    )


async def insert_phase(tx: Tx, campaign_id: UUID, phase: NewPhase, *, change_id: UUID, now: datetime) -> None:
    """The phase with its first versions, its stock and what it can award."""
    await tx.execute(
        insert(PhaseRow).values(
            id=phase.id,
            campaign_id=campaign_id,
            seq=phase.seq,
            opens_at=phase.opens_at,
            closes_at=phase.closes_at,
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
                {"phase_id": phase.id, "voucher_type": key, "put_in": count, "remaining": count}
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


async def phases(tx: Tx, campaigns: Sequence[UUID], now: datetime) -> list[Phase]:
    """The phases of these campaigns in their order, with the odds and the quiz in force."""
    rows = await tx.execute(_PHASES, {"campaigns": list(campaigns), "now": now})
    return [
        Phase(
            id=row.id,
            campaign_id=row.campaign_id,
            seq=row.seq,
            opens_at=row.opens_at,
            closes_at=row.closes_at,
            seed_commitment=row.seed_commitment,
            odds_ppm=row.odds_ppm,
            quiz=QuizTerms(*row[7:]),
        )
        for row in rows
    ]


async def stock(tx: Tx, campaigns: Sequence[UUID]) -> list[Stock]:
    """The stock of every phase of these campaigns, types in the order in which people see them."""
    rows = await tx.execute(_STOCK, {"campaigns": list(campaigns)})
    return [Stock(*row) for row in rows]


async def terms(tx: Tx, campaign_id: UUID) -> Terms:
    statement = select(
        CampaignRulesRow.slogan,
        CampaignRulesRow.award_valid_days,
        CampaignRulesRow.vouchers_per_phase,
        CampaignRulesRow.draws_per_day,
    ).where(CampaignRulesRow.campaign_id == campaign_id)
    return Terms(*(await tx.execute(statement)).one())


async def channels(tx: Tx, campaign_id: UUID) -> list[Channel]:
    statement = (
        select(ChannelRow.key, ChannelRow.name, ChannelRow.chances, ChannelRow.per_day, ChannelRow.review)
        .where(ChannelRow.campaign_id == campaign_id)
        .order_by(ChannelRow.position)
    )
    return [Channel(*row) for row in (await tx.execute(statement))]


async def lock_seeds_due(tx: Tx, closed_by: datetime) -> list[SealedSeed]:
    """Phases that closed by then and whose seed is not public yet; locked, those of others left out."""
    return [SealedSeed(*row) for row in (await tx.execute(_SEEDS_DUE, {"closed_by": closed_by}))]


async def reveal_seed(tx: Tx, phase_id: UUID, seed: str) -> None:
    await tx.execute(_REVEAL_SEED, {"phase_id": phase_id, "seed": seed})
