from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class SettlementDisputeRow(Base):
    """What an institution said is wrong with a settlement, and what came of it. Never deleted.

    `upheld`: write-offs were taken back out of it; `rejected`: it stays as it is; `confirmed`: the
    institution confirmed it all the same; `restated`: it said something else before anybody answered.
    """

    __tablename__ = "settlement_dispute"
    __table_args__ = (
        CheckConstraint("outcome IN ('upheld', 'rejected', 'confirmed', 'restated')", name="known_outcome"),
        CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name="ended"),
        CheckConstraint(
            "(change_id IS NOT NULL) = (outcome IS NOT DISTINCT FROM 'upheld')", name="four_eyes"
        ),
        CheckConstraint(
            "outcome IS NULL OR outcome NOT IN ('upheld', 'rejected') OR reason IS NOT NULL", name="reasoned"
        ),
        Index("ix_settlement_dispute_settlement", "settlement_id", "raised_at"),
        Index(
            "uq_settlement_dispute_open",
            "settlement_id",
            unique=True,
            postgresql_where=text("outcome IS NULL"),
        ),
        {"schema": "redemption"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    settlement_id: Mapped[UUID] = mapped_column(ForeignKey("redemption.settlement.id"))
    note: Mapped[str]
    raised_at: Mapped[datetime]
    raised_by: Mapped[UUID | None] = mapped_column(ForeignKey("core.staff.id"))
    outcome: Mapped[str | None]
    reason: Mapped[str | None] = mapped_column(comment="of the outcome, for the institution")
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("core.staff.id"))
    change_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.change.id"))
