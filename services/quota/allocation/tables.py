"""Allocations: every version of a programme's quotas, kept as it came into force."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class AllocationRow(Base):
    """A version of the quotas. Append-only, with its items.

    In force in a month is the highest version whose effective month has come by then.
    """

    __tablename__ = "allocation"
    __table_args__ = (
        UniqueConstraint("programme_id", "version"),
        CheckConstraint("method IN ('largest_remainder', 'round_each')", name="known_method"),
        CheckConstraint("total > 0 AND version > 0", name="total_positive"),
        CheckConstraint("method <> 'largest_remainder' OR quota_sum = total", name="adds_up"),
        CheckConstraint("extract(day FROM effective_month) = 1", name="month_by_its_first_day"),
        CheckConstraint(
            "(scale_numerator IS NULL) = (scale_denominator IS NULL)"
            " AND scale_numerator >= 0 AND scale_denominator > 0",
            name="scale_is_a_fraction",
        ),
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
    basis: Mapped[str] = mapped_column(
        server_default=text("'visits'"), comment="what the shares are of: visits, or an imported basis"
    )
    effective_month: Mapped[date | None] = mapped_column(comment="NULL: in every month that is not frozen")
    nested: Mapped[bool] = mapped_column(
        server_default=text("false"),
        comment="cards went to alliances first: each lies within one card of its exact quota too",
    )
    scale_numerator: Mapped[Decimal | None] = mapped_column(
        Numeric(), comment="with bounds: what every quota between its bounds was multiplied by"
    )
    scale_denominator: Mapped[Decimal | None] = mapped_column(Numeric())


class AllocationItemRow(Base):
    """A hospital's quota in a version, with what it was computed from, as it was then. Append-only."""

    __tablename__ = "allocation_item"
    __table_args__ = (
        UniqueConstraint("allocation_id", "place"),
        CheckConstraint("quota >= 0", name="quota_not_negative"),
        CheckConstraint("visits >= 0", name="visits_not_negative"),
        CheckConstraint("basis_value >= 0", name="basis_value_not_negative"),
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
    basis_value: Mapped[Decimal | None] = mapped_column(
        Numeric(), comment="what its share is of; NULL: the visits"
    )


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


class AllocationBoundRow(Base):
    """The least and the most that a hospital may get in a version, with the reason. Append-only."""

    __tablename__ = "allocation_bound"
    __table_args__ = (
        CheckConstraint("minimum IS NOT NULL OR maximum IS NOT NULL", name="bounds_something"),
        CheckConstraint("minimum >= 0 AND maximum >= 0 AND minimum <= maximum", name="in_order"),
        {"schema": "quota"},
    )

    allocation_id: Mapped[UUID] = mapped_column(ForeignKey("quota.allocation.id"), primary_key=True)
    hospital_id: Mapped[str] = mapped_column(ForeignKey("quota.hospital.id"), primary_key=True)
    minimum: Mapped[int | None]
    maximum: Mapped[int | None]
    reason: Mapped[str]
