from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class ChangeRow(Base):
    """A proposed change of money, odds, stock or quotas: one proposes, another decides."""

    __tablename__ = "change"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'applied', 'rejected')", name="known_status"),
        CheckConstraint("decided_by IS DISTINCT FROM proposed_by OR status = 'rejected'", name="four_eyes"),
        CheckConstraint("(status = 'pending') = (decided_by IS NULL)", name="decided"),
        Index("ix_change_service_status", "service", "status", "proposed_at"),
        {"schema": "core"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    service: Mapped[str]
    kind: Mapped[str]
    target: Mapped[str] = mapped_column(comment="what it changes, such as a campaign's slug")
    body: Mapped[dict[str, Any]]
    before: Mapped[dict[str, Any]]
    reason: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default=text("'pending'"))
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("core.staff.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("core.staff.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None]
