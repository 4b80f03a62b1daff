from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class HospitalLevelRow(Base):
    """A hospital's level; one without a row has none. What a frozen month says, stands in its own lines."""

    __tablename__ = "hospital_level"
    __table_args__ = (
        CheckConstraint("length(level) BETWEEN 1 AND 40", name="level_length"),
        {"schema": "quota"},
    )

    hospital_id: Mapped[str] = mapped_column(ForeignKey("quota.hospital.id"), primary_key=True)
    level: Mapped[str]
    updated_by: Mapped[UUID]
    updated_at: Mapped[datetime]
