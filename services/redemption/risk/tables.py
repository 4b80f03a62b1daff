from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class CaseRow(Base):
    """Something that a person should look at, with its evidence (ids and figures, no person).

    `reference` is what the case is about, so that the same finding opens one case. While it is open a
    signal's later findings in the same window add to it; decided, it only changes by being reopened.
    """

    __tablename__ = "risk_case"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('offline_conflict', 'capacity', 'burst', 'hours', 'amounts', 'closed_group',"
            " 'shared_device', 'shared_address', 'manual', 'reversals', 'jump', 'wrong_codes')",
            name="known_kind",
        ),
        CheckConstraint("status IN ('open', 'decided')", name="known_status"),
        CheckConstraint("(status = 'decided') = (decided_at IS NOT NULL)", name="decided"),
        CheckConstraint("score BETWEEN 0 AND 100", name="score"),
        UniqueConstraint("kind", "reference"),
        Index("ix_risk_case_campaign_status", "campaign_id", "status"),
        Index("ix_risk_case_opened", "opened_at", "id"),
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
    score: Mapped[int | None] = mapped_column(SmallInteger, comment="0 to 100; NULL: not a signal")
    suggested: Mapped[str | None] = mapped_column(comment="decision that the score suggests")
    first_day: Mapped[date | None] = mapped_column(comment="the window, days of the campaign's time zone")
    last_day: Mapped[date | None]
    note: Mapped[str | None] = mapped_column(comment="why it was decided so")


class CaseItemRow(Base):
    """A write-off that is evidence of a case. Only its hold is set later; never deleted."""

    __tablename__ = "risk_case_item"
    __table_args__ = (
        Index("ix_risk_case_item_redemption", "bucket", "redemption_id"),
        {"schema": "redemption"},
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("redemption.risk_case.id"), primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    redemption_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    hold_id: Mapped[UUID | None] = mapped_column(ForeignKey("redemption.settlement_hold.id"))
