from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class CapacityRow(Base):
    """What an institution says it can do. NULL: it no longer says."""

    __tablename__ = "institution_capacity"
    __table_args__ = (
        CheckConstraint("hourly > 0", name="hourly_positive"),
        {"schema": "redemption"},
    )

    institution_id: Mapped[str] = mapped_column(ForeignKey("redemption.institution.id"), primary_key=True)
    hourly: Mapped[int | None] = mapped_column(comment="write-offs an hour")
    declared_by: Mapped[UUID]
    declared_at: Mapped[datetime]
