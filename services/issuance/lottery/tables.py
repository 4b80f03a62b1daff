"""Chances, draws and awards."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class ChanceRow(Base):
    """The right to one draw, earned by taking part."""

    __tablename__ = "chance"
    __table_args__ = (
        UniqueConstraint("bucket", "source_id", "source_no"),
        CheckConstraint("(draw_id IS NOT NULL) = (state = 'drawn')", name="drawn"),
        CheckConstraint("state IN ('available', 'drawn', 'void')", name="known_state"),
        Index(
            "ix_chance_available",
            "bucket",
            "person_id",
            "campaign_id",
            "granted_at",
            "id",
            postgresql_where=text("state = 'available'"),
        ),
        Index("ix_chance_person", "bucket", "person_id"),
        {"schema": "issuance"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    person_id: Mapped[UUID]
    channel: Mapped[str]
    source_id: Mapped[UUID] = mapped_column(comment="the attempt or activity that earned it")
    source_no: Mapped[int] = mapped_column(SmallInteger, comment="from 1: one source may earn several")
    granted_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="available")
    draw_id: Mapped[UUID | None]


class DrawRow(Base):
    """A draw as it was made. Append-only; `value` recomputes from seed, chance and client seed."""

    __tablename__ = "draw"
    __table_args__ = (
        UniqueConstraint("bucket", "chance_id"),
        UniqueConstraint("bucket", "campaign_id", "person_id", "day", "day_no"),
        CheckConstraint("octet_length(value) = 32", name="value_sha256"),
        Index("ix_draw_phase", "phase_id", "drawn_at"),
        {"schema": "issuance"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    phase_id: Mapped[UUID]
    person_id: Mapped[UUID]
    chance_id: Mapped[UUID]
    channel: Mapped[str] = mapped_column(comment="how the chance was earned")
    client_seed: Mapped[str]
    odds_version_id: Mapped[UUID]
    value: Mapped[bytes]
    won: Mapped[bool]
    drawn_at: Mapped[datetime]
    day: Mapped[date] = mapped_column(Date)
    day_no: Mapped[int] = mapped_column(SmallInteger)


class AwardRow(Base):
    """A win that waits for its winner to choose a voucher type."""

    __tablename__ = "award"
    __table_args__ = (
        UniqueConstraint("bucket", "draw_id"),
        CheckConstraint("state IN ('open', 'claimed', 'expired')", name="known_state"),
        CheckConstraint("(state = 'claimed') = (voucher_id IS NOT NULL)", name="claimed"),
        CheckConstraint("held_at IS NULL OR state = 'open'", name="held_while_open"),
        Index("ix_award_person", "bucket", "person_id", "phase_id"),
        Index("ix_award_open", "expires_at", postgresql_where=text("state = 'open'")),
        Index("ix_award_won_at", "won_at"),
        {"schema": "issuance"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    phase_id: Mapped[UUID]
    person_id: Mapped[UUID]
    draw_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(server_default="open")
    won_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    held_at: Mapped[datetime | None] = mapped_column(comment="nobody can claim it, and it does not expire")
    claimed_at: Mapped[datetime | None]
    voucher_id: Mapped[UUID | None]
    voucher_type: Mapped[str | None]
