from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class HospitalCodeRow(Base):
    """A hospital's own code. A replaced one hangs on walls for years, so it goes on counting."""

    __tablename__ = "hospital_code"
    __table_args__ = (
        CheckConstraint("scene ~ '^[0-9A-Z]{1,32}$'", name="scene_form"),
        CheckConstraint("(replaced_at IS NULL) = (replaced_reason IS NULL)", name="replaced_with_reason"),
        Index(
            "uq_hospital_code_in_use",
            "hospital_id",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
        ),
        {"schema": "quota"},
    )

    scene: Mapped[str] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("quota.programme.id"))
    hospital_id: Mapped[str] = mapped_column(ForeignKey("quota.hospital.id"), index=True)
    created_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]
    replaced_reason: Mapped[str | None]
