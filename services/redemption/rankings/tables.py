from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class RankingEditionRow(Base):
    """A month's ranking as it was published. A correction is a further edition. Append-only."""

    __tablename__ = "ranking_edition"
    __table_args__ = (
        UniqueConstraint("campaign_id", "month", "edition"),
        CheckConstraint("extract(day FROM month) = 1", name="month_by_its_first_day"),
        CheckConstraint("edition = 1 OR reason IS NOT NULL", name="correction_has_reason"),
        CheckConstraint("as_of < frozen_at", name="counted_before_it_was_frozen"),
        {"schema": "redemption"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"))
    month: Mapped[date]
    edition: Mapped[int]
    reason: Mapped[str | None]
    as_of: Mapped[datetime] = mapped_column(comment="what had reached the platform by then is counted")
    change_id: Mapped[UUID] = mapped_column(ForeignKey("core.change.id"), unique=True)
    frozen_at: Mapped[datetime]


class RankingItemRow(Base):
    """An institution's line in an edition. Append-only."""

    __tablename__ = "ranking_item"
    __table_args__ = (
        UniqueConstraint("edition_id", "place"),
        CheckConstraint("flagged BETWEEN 0 AND count", name="flagged_are_counted"),
        {"schema": "redemption"},
    )

    edition_id: Mapped[UUID] = mapped_column(ForeignKey("redemption.ranking_edition.id"), primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("redemption.institution.id"), primary_key=True)
    place: Mapped[int] = mapped_column(comment="order of the list")
    name: Mapped[str]
    category: Mapped[str]
    count: Mapped[int]
    amount_fen: Mapped[int]
    distinct_holders: Mapped[int]
    flagged: Mapped[int] = mapped_column(comment="write-offs that are evidence of a case")
    hourly_capacity: Mapped[int | None] = mapped_column(comment="as declared when it was frozen")
    by_voucher_type: Mapped[dict[str, Any]]
    rank: Mapped[int]
    rank_in_category: Mapped[int]
    rank_by_holders: Mapped[int]
    rank_per_capacity: Mapped[int | None] = mapped_column(comment="NULL: no declared capacity")
