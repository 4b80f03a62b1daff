"""Versions of what holds for a whole campaign. Append-only: a change adds a row and touches none."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class LimitsVersionRow(Base):
    """The limits per person from a moment on."""

    __tablename__ = "limits_version"
    __table_args__ = (
        CheckConstraint(
            "vouchers_per_phase > 0 AND draws_per_day > 0 AND draws_per_phase > 0 AND vouchers_per_type > 0",
            name="positive",
        ),
        UniqueConstraint("campaign_id", "effective_from"),
        {"schema": "issuance"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"))
    vouchers_per_phase: Mapped[int]
    draws_per_day: Mapped[int]
    draws_per_phase: Mapped[int | None]
    vouchers_per_type: Mapped[int | None]
    effective_from: Mapped[datetime]
    reason: Mapped[str | None]
    change_id: Mapped[UUID] = mapped_column(ForeignKey("core.change.id"))


class SettlementHoldVersionRow(Base):
    """How long write-offs wait for their settlement, from a moment on. None: as the platform is set."""

    __tablename__ = "settlement_hold_version"
    __table_args__ = (
        CheckConstraint("settlement_hold_days BETWEEN 0 AND 365", name="range"),
        UniqueConstraint("campaign_id", "effective_from"),
        {"schema": "issuance"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"))
    settlement_hold_days: Mapped[int | None] = mapped_column(SmallInteger)
    effective_from: Mapped[datetime]
    reason: Mapped[str | None]
    change_id: Mapped[UUID] = mapped_column(ForeignKey("core.change.id"))


class ChannelVersionRow(Base):
    """What a way to take part earns from a moment on."""

    __tablename__ = "channel_version"
    __table_args__ = (
        CheckConstraint("chances > 0 AND (per_day IS NULL OR per_day > 0)", name="limits_positive"),
        UniqueConstraint("campaign_id", "key", "effective_from"),
        {"schema": "issuance"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"))
    key: Mapped[str]
    chances: Mapped[int]
    per_day: Mapped[int | None]
    review: Mapped[bool]
    effective_from: Mapped[datetime]
    reason: Mapped[str | None]
    change_id: Mapped[UUID] = mapped_column(ForeignKey("core.change.id"))
