"""SQL of campaigns as issuance runs them. The catalogue (campaign, types, fund) is shared/vouchers'."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text

from services.issuance.campaigns.tables import CampaignRulesRow, ChannelRow
from shared.db import Tx

# The version in force is the latest one that has begun.
_PHASES = text("""
    SELECT p.id, p.campaign_id, p.seq, p.opens_at, p.closes_at, p.release_seconds, p.seed_commitment,
           o.odds_ppm, q.questions, q.pass_score, q.attempts_per_day, q.time_limit_seconds, q.min_seconds,
           q.blueprint, q.repeat_after_attempts, q.attempt_token
    FROM issuance.phase p
    CROSS JOIN LATERAL (
        SELECT odds_ppm FROM issuance.odds_version
        WHERE phase_id = p.id AND effective_from <= :now ORDER BY effective_from DESC LIMIT 1) o
    CROSS JOIN LATERAL (
        SELECT questions, pass_score, attempts_per_day, time_limit_seconds, min_seconds, blueprint,
               repeat_after_attempts, attempt_token
        FROM issuance.quiz_rule
        WHERE phase_id = p.id AND effective_from <= :now ORDER BY effective_from DESC LIMIT 1) q
    WHERE p.campaign_id = ANY(CAST(:campaigns AS uuid[]))
    ORDER BY p.campaign_id, p.seq
""")
_STOCK = text("""
    SELECT s.phase_id, s.voucher_type, s.put_in, s.remaining, s.issued - s.returned, s.release_amount
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
    attempt_token: bool = False


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase with what is in force in it now."""

    id: UUID
    campaign_id: UUID
    seq: int
    opens_at: datetime
    closes_at: datetime
    release_seconds: int | None
    seed_commitment: str
    odds_ppm: int
    quiz: QuizTerms


@dataclass(frozen=True, slots=True)
class Stock:
    """`issued` leaves out what came back."""

    phase_id: UUID
    voucher_type: str
    put_in: int
    remaining: int
    issued: int
    release_amount: int | None


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
    draws_per_phase: int | None = None
    vouchers_per_type: int | None = None
    assumed: Sequence[str] = ()


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
            draws_per_phase=terms.draws_per_phase,
            vouchers_per_type=terms.vouchers_per_type,
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
            release_seconds=row.release_seconds,
            seed_commitment=row.seed_commitment,
            odds_ppm=row.odds_ppm,
            quiz=QuizTerms(*row[8:]),
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
        CampaignRulesRow.draws_per_phase,
        CampaignRulesRow.vouchers_per_type,
        CampaignRulesRow.definition["assumed"].label("assumed"),
    ).where(CampaignRulesRow.campaign_id == campaign_id)
    row = (await tx.execute(statement)).one()
    return Terms(
        slogan=row.slogan,
        award_valid_days=row.award_valid_days,
        vouchers_per_phase=row.vouchers_per_phase,
        draws_per_day=row.draws_per_day,
        draws_per_phase=row.draws_per_phase,
        vouchers_per_type=row.vouchers_per_type,
        assumed=row.assumed or (),
    )


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
