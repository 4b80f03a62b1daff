from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class HospitalNameRow(Base):
    """A name by which files may call a hospital. Whoever has a name in use, nobody else can have it."""

    __tablename__ = "hospital_name"
    __table_args__ = (
        CheckConstraint("kind IN ('current', 'former', 'alias')", name="known_kind"),
        CheckConstraint("length(key) > 0", name="key_not_empty"),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawn_by IS NULL)",
            name="withdrawn_with_reason",
        ),
        Index(
            "uq_hospital_name_in_use",
            "programme_id",
            "key",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        Index(
            "uq_hospital_name_current",
            "hospital_id",
            unique=True,
            postgresql_where=text("kind = 'current' AND withdrawn_at IS NULL"),
        ),
        {"schema": "quota"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("quota.programme.id"))
    hospital_id: Mapped[str] = mapped_column(ForeignKey("quota.hospital.id"), index=True)
    name: Mapped[str]
    key: Mapped[str] = mapped_column(comment="the name in the one spelling of matching")
    kind: Mapped[str]
    reason: Mapped[str | None] = mapped_column(comment="NULL: from a list, where the file is the reason")
    added_by: Mapped[UUID | None] = mapped_column(comment="NULL: taken over from before names were kept")
    added_at: Mapped[datetime]
    withdrawn_by: Mapped[UUID | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str | None]
