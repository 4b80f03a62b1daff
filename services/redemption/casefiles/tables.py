from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class CaseActionRow(Base):
    """What was done with a case, by whom and why: decided, its holds released, reopened. Append-only."""

    __tablename__ = "risk_case_action"
    __table_args__ = (
        CheckConstraint("action IN ('decide', 'release', 'reopen')", name="known_action"),
        CheckConstraint("(action = 'decide') = (decision IS NOT NULL)", name="decision"),
        {"schema": "redemption"},
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("redemption.risk_case.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    action: Mapped[str]
    decision: Mapped[str | None]
    note: Mapped[str | None]
    effect: Mapped[dict[str, Any]] = mapped_column(comment="what it did: held, released, paused, resumed")
    staff_id: Mapped[UUID]
    at: Mapped[datetime]
