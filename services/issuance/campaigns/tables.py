"""Campaigns as issuance runs them. Odds, quiz rules and stock are versions: a change adds a row."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class CampaignRulesRow(Base):
    """What a campaign's definition says beyond its catalogue; `definition` is the text as approved.

    The limits are those in force: a copy of the latest `limits_version`, where the hot path reads them.
    """

    __tablename__ = "campaign_rules"
    __table_args__ = ({"schema": "issuance"},)

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"), primary_key=True)
    slogan: Mapped[str | None]
    award_valid_days: Mapped[int]
    vouchers_per_phase: Mapped[int]
    draws_per_day: Mapped[int]
    draws_per_phase: Mapped[int | None] = mapped_column(comment="none: as many as the days allow")
    vouchers_per_type: Mapped[int | None] = mapped_column(comment="of one type in all phases together")
    bank_version: Mapped[int] = mapped_column(server_default=text("0"), comment="moves with the bank")
    definition: Mapped[dict[str, Any]]


class ChannelRow(Base):
    """A way to take part and what it earns now: a copy of its latest `channel_version`."""

    __tablename__ = "channel"
    __table_args__ = (
        CheckConstraint("key IN ('quiz', 'share', 'lead', 'event', 'fitness')", name="known_key"),
        CheckConstraint("chances > 0 AND (per_day IS NULL OR per_day > 0)", name="limits_positive"),
        {"schema": "issuance"},
    )

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str]
    chances: Mapped[int]
    per_day: Mapped[int | None]
    review: Mapped[bool]


class PhaseRow(Base):
    """A phase and its seed: sealed and committed before it opens, revealed after it closes."""

    __tablename__ = "phase"
    __table_args__ = (
        UniqueConstraint("campaign_id", "seq"),
        CheckConstraint("closes_at > opens_at", name="closes_after_opening"),
        CheckConstraint("release_seconds > 0", name="release_step_positive"),
        CheckConstraint("seed_commitment ~ '^[0-9a-f]{64}$'", name="commitment_form"),
        {"schema": "issuance"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"))
    seq: Mapped[int] = mapped_column(SmallInteger)
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    release_seconds: Mapped[int | None] = mapped_column(comment="the step of its release plan, if it has one")
    seed_sealed: Mapped[bytes]
    seed_commitment: Mapped[str] = mapped_column(comment="hex SHA-256 of the seed")
    seed_revealed: Mapped[str | None] = mapped_column(comment="hex; set by the job after the phase closed")


class OddsVersionRow(Base):
    """The odds from a moment on. A draw is won when its value's first 8 bytes are below `threshold`."""

    __tablename__ = "odds_version"
    __table_args__ = (
        CheckConstraint("odds_ppm BETWEEN 1 AND 1000000", name="odds_range"),
        CheckConstraint("(threshold IS NULL) = (odds_ppm = 1000000)", name="threshold_unless_certain"),
        CheckConstraint("octet_length(threshold) = 8", name="threshold_64_bits"),
        UniqueConstraint("phase_id", "effective_from"),
        {"schema": "issuance"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    phase_id: Mapped[UUID] = mapped_column(ForeignKey("issuance.phase.id"))
    odds_ppm: Mapped[int]
    threshold: Mapped[bytes | None] = mapped_column(comment="floor(odds × 2^64), big-endian; NULL = always")
    effective_from: Mapped[datetime]
    reason: Mapped[str | None]
    change_id: Mapped[UUID] = mapped_column(ForeignKey("core.change.id"))


class QuizRuleRow(Base):
    """The quiz of a phase from a moment on; an attempt keeps the rule it began under."""

    __tablename__ = "quiz_rule"
    __table_args__ = (
        CheckConstraint("pass_score BETWEEN 0 AND 100", name="pass_score_range"),
        CheckConstraint("questions > 0 AND attempts_per_day > 0 AND time_limit_seconds > 0", name="positive"),
        UniqueConstraint("phase_id", "effective_from"),
        {"schema": "issuance"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    phase_id: Mapped[UUID] = mapped_column(ForeignKey("issuance.phase.id"))
    questions: Mapped[int]
    pass_score: Mapped[int]
    attempts_per_day: Mapped[int]
    time_limit_seconds: Mapped[int]
    min_seconds: Mapped[int] = mapped_column(server_default=text("0"))
    blueprint: Mapped[dict[str, Any] | None] = mapped_column(
        comment='{"1": 5, "2": {"健康素养": 3}}: so many per difficulty, or per category in it'
    )
    repeat_after_attempts: Mapped[int] = mapped_column(
        server_default=text("5"), comment="a question does not come again in so many attempts of a person"
    )
    attempt_token: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="answers are taken with the token of their attempt only"
    )
    effective_from: Mapped[datetime]
    reason: Mapped[str | None]
    change_id: Mapped[UUID] = mapped_column(ForeignKey("core.change.id"))


class PhaseStockRow(Base):
    """Vouchers of a type in a phase. A claim takes one by one conditional UPDATE of this row."""

    __tablename__ = "phase_stock"
    __table_args__ = (
        CheckConstraint("remaining >= 0", name="never_oversold"),
        CheckConstraint("put_in = remaining + issued - returned", name="conserved"),
        CheckConstraint("returned BETWEEN 0 AND issued", name="returned_was_issued"),
        CheckConstraint("release_amount > 0", name="release_positive"),
        {"schema": "issuance", "postgresql_with": {"fillfactor": "50"}},
    )

    phase_id: Mapped[UUID] = mapped_column(ForeignKey("issuance.phase.id"), primary_key=True)
    voucher_type: Mapped[str] = mapped_column(primary_key=True)
    put_in: Mapped[int]
    remaining: Mapped[int]
    issued: Mapped[int] = mapped_column(server_default=text("0"))
    returned: Mapped[int] = mapped_column(
        server_default=text("0"), comment="issued, expired, and carried over to another phase"
    )
    release_amount: Mapped[int | None] = mapped_column(
        comment="pieces that become claimable at the opening and at each step; none: all at once"
    )


class StockMoveRow(Base):
    """Why stock was put in or taken out. Append-only."""

    __tablename__ = "stock_move"
    __table_args__ = ({"schema": "issuance"},)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    phase_id: Mapped[UUID] = mapped_column(ForeignKey("issuance.phase.id"))
    voucher_type: Mapped[str]
    delta: Mapped[int]
    reason: Mapped[str | None]
    change_id: Mapped[UUID] = mapped_column(ForeignKey("core.change.id"))
    at: Mapped[datetime]


class AwardPoolRow(Base):
    """What a phase can still award: stock that remains minus awards that are open.

    A win takes one; a claim leaves it alone (stock and open awards both fall by one); an expired award
    and stock that is put in give back. So a win is never made without something to award.
    """

    __tablename__ = "award_pool"
    __table_args__ = (
        CheckConstraint("left_to_award >= 0", name="never_overdrawn"),
        {"schema": "issuance", "postgresql_with": {"fillfactor": "50"}},
    )

    phase_id: Mapped[UUID] = mapped_column(ForeignKey("issuance.phase.id"), primary_key=True)
    left_to_award: Mapped[int]
