from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class CardAppealRow(Base):
    """A hospital does not agree with where an event was counted; the bureau answers, once."""

    __tablename__ = "card_appeal"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'upheld', 'rejected')", name="known_status"),
        CheckConstraint("(status = 'open') = (answered_at IS NULL)", name="answered"),
        CheckConstraint("(answered_at IS NULL) = (answer IS NULL)", name="answered_with_words"),
        Index(
            "uq_card_appeal_open",
            "programme_id",
            "event_id",
            "hospital_id",
            unique=True,
            postgresql_where=text("status = 'open'"),
        ),
        Index("ix_card_appeal_lodged", "programme_id", "lodged_at", "id"),
        {"schema": "quota"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("quota.programme.id"))
    event_id: Mapped[str]
    hospital_id: Mapped[str]
    reason: Mapped[str]
    lodged_by: Mapped[UUID]
    lodged_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(server_default=text("'open'"))
    answer: Mapped[str | None]
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]
