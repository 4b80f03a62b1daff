from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class RankingEditionRow(Base):
    """A month's ranking as it was published. A correction is a further edition. Append-only."""

    __tablename__ = "ranking_edition"
    __table_args__ = (
        UniqueConstraint("programme_id", "month", "edition"),
        CheckConstraint("extract(day FROM month) = 1", name="month_by_its_first_day"),
        CheckConstraint("edition = 1 OR reason IS NOT NULL", name="correction_has_reason"),
        {"schema": "quota"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("quota.programme.id"))
    month: Mapped[date]
    edition: Mapped[int]
    reason: Mapped[str | None]
    allocation_id: Mapped[UUID] = mapped_column(ForeignKey("quota.allocation.id"))
    unattributed: Mapped[int] = mapped_column(comment="cards without a hospital at the month's end")
    change_id: Mapped[UUID] = mapped_column(ForeignKey("core.change.id"), unique=True)
    frozen_at: Mapped[datetime]


class RankingItemRow(Base):
    """A hospital's line in an edition. Append-only."""

    __tablename__ = "ranking_item"
    __table_args__ = (UniqueConstraint("edition_id", "place"), {"schema": "quota"})

    edition_id: Mapped[UUID] = mapped_column(ForeignKey("quota.ranking_edition.id"), primary_key=True)
    hospital_id: Mapped[str] = mapped_column(ForeignKey("quota.hospital.id"), primary_key=True)
    place: Mapped[int] = mapped_column(comment="order of the list")
    hospital: Mapped[str]
    alliance: Mapped[str]
    quota: Mapped[int]
    month_issued: Mapped[int]
    issued: Mapped[int]
    rank: Mapped[int | None] = mapped_column(comment="NULL: without a quota nobody is ranked")
    rank_change: Mapped[int | None]
    flagged: Mapped[bool]
    level: Mapped[str] = mapped_column(server_default=text("''"), comment="empty: none was known")
    level_rank: Mapped[int | None] = mapped_column(comment="among those of its level")
    level_rank_change: Mapped[int | None]
    level_flagged: Mapped[bool] = mapped_column(server_default=text("false"))
    needed_per_working_day: Mapped[int | None] = mapped_column(comment="as of the month's end")
    miss_probability: Mapped[Decimal | None] = mapped_column(
        Numeric(5, 4), comment="that the quota is not reached by the programme's end, as of the month's end"
    )
