from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class SettlementHoldRow(Base):
    """Keeps write-offs out of settlements until it is released: one, or all of an institution's."""

    __tablename__ = "settlement_hold"
    __table_args__ = (
        CheckConstraint("(bucket IS NULL) = (redemption_id IS NULL)", name="address"),
        CheckConstraint("(released_at IS NULL) = (released_by IS NULL)", name="released"),
        Index("ix_settlement_hold_institution", "institution_id", "placed_at", "id"),
        Index(
            "ix_settlement_hold_open",
            "institution_id",
            "bucket",
            "redemption_id",
            postgresql_where=text("released_at IS NULL"),
        ),
        {"schema": "redemption"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("redemption.institution.id"))
    bucket: Mapped[int | None] = mapped_column(SmallInteger)
    redemption_id: Mapped[UUID | None] = mapped_column(comment="NULL: all write-offs of the institution")
    reason: Mapped[str]
    placed_by: Mapped[str] = mapped_column(comment="actor")
    placed_at: Mapped[datetime]
    released_by: Mapped[str | None] = mapped_column(comment="actor")
    released_at: Mapped[datetime | None]
