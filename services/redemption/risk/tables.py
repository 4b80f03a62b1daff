from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class CaseRow(Base):
    """Something that a person should look at, with its evidence (ids and figures, no person).

    `reference` is what the case is about, so that the same finding opens one case.
    """

    __tablename__ = "risk_case"
    __table_args__ = (
        CheckConstraint("kind IN ('offline_conflict')", name="known_kind"),
        CheckConstraint("status IN ('open', 'decided')", name="known_status"),
        CheckConstraint("(status = 'decided') = (decided_at IS NOT NULL)", name="decided"),
        UniqueConstraint("kind", "reference"),
        Index("ix_risk_case_campaign_status", "campaign_id", "status"),
        {"schema": "redemption"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    reference: Mapped[str]
    campaign_id: Mapped[UUID]
    institution_id: Mapped[str]
    terminal_id: Mapped[str | None]
    evidence: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(server_default=text("'open'"))
    opened_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    decision: Mapped[str | None]
