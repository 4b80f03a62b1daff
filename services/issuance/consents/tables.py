from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class ConsentTextRow(Base):
    """A text that citizens agree to, in one version. Append-only: what was agreed to stays readable."""

    __tablename__ = "consent_text"
    __table_args__ = (
        CheckConstraint("kind IN ('privacy', 'sensitive', 'terms')", name="known_kind"),
        CheckConstraint("version <> 'current'", name="version_is_no_address"),
        {"schema": "issuance"},
    )

    kind: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    text: Mapped[str]
    effective_from: Mapped[datetime]
    published_by: Mapped[UUID] = mapped_column(ForeignKey("core.staff.id"))
    published_at: Mapped[datetime]
