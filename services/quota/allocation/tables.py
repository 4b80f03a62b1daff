"""Allocations: every version of a programme's quotas, kept as it came into force."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class AllocationRow(Base):
    """A version of the quotas; the highest one is in force. Append-only, with its items."""

    __tablename__ = "allocation"
    __table_args__ = (
        UniqueConstraint("programme_id", "version"),
        CheckConstraint("method IN ('largest_remainder', 'round_each')", name="known_method"),
        CheckConstraint("total > 0 AND version > 0", name="total_positive"),
        CheckConstraint("method <> 'largest_remainder' OR quota_sum = total", name="adds_up"),
        {"schema": "quota"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("quota.programme.id"))
    version: Mapped[int]
    total: Mapped[int]
    method: Mapped[str]
    quota_sum: Mapped[int] = mapped_column(comment="what the quotas add up to; round_each may miss the total")
    reason: Mapped[str]
    change_id: Mapped[UUID] = mapped_column(ForeignKey("core.change.id"), unique=True)
    applied_at: Mapped[datetime]


class AllocationItemRow(Base):
    """A hospital's quota in a version, with what it was computed from, as it was then. Append-only."""

    __tablename__ = "allocation_item"
    __table_args__ = (
        UniqueConstraint("allocation_id", "place"),
        CheckConstraint("quota >= 0", name="quota_not_negative"),
        CheckConstraint("visits >= 0", name="visits_not_negative"),
        {"schema": "quota"},
    )

    allocation_id: Mapped[UUID] = mapped_column(ForeignKey("quota.allocation.id"), primary_key=True)
    hospital_id: Mapped[str] = mapped_column(ForeignKey("quota.hospital.id"), primary_key=True)
    place: Mapped[int] = mapped_column(comment="order of the list; equal remainders go to the earlier one")
    hospital: Mapped[str]
    alliance: Mapped[str]
    visits: Mapped[int]
    adjustment_points: Mapped[Decimal] = mapped_column(
        Numeric(), comment="percentage points of the total, moved to (+) or from (-) it"
    )
    adjustment_cards: Mapped[int] = mapped_column(comment="the same, in cards")
    quota: Mapped[int]


class AllocationAdjustmentRow(Base):
    """A move of quota from one hospital to another, with its reason. Append-only."""

    __tablename__ = "allocation_adjustment"
    __table_args__ = (
        CheckConstraint("from_hospital_id <> to_hospital_id", name="two_hospitals"),
        CheckConstraint("(share_points IS NULL) <> (cards IS NULL)", name="points_or_cards"),
        CheckConstraint("share_points > 0 OR cards > 0", name="moves_something"),
        {"schema": "quota"},
    )

    allocation_id: Mapped[UUID] = mapped_column(ForeignKey("quota.allocation.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    from_hospital_id: Mapped[str] = mapped_column(ForeignKey("quota.hospital.id"))
    to_hospital_id: Mapped[str] = mapped_column(ForeignKey("quota.hospital.id"))
    share_points: Mapped[Decimal | None] = mapped_column(Numeric())
    cards: Mapped[int | None]
    reason: Mapped[str]
