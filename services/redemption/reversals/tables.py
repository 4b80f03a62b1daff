from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class ReversalRow(Base):
    """That a write-off was undone, or refused for good before it arrived. Append-only.

    `reversed` lies in the bucket of its redemption, `blocked` (original never seen) in its terminal's.
    """

    __tablename__ = "reversal"
    __table_args__ = (
        CheckConstraint("outcome IN ('reversed', 'blocked')", name="known_outcome"),
        CheckConstraint("(outcome = 'reversed') = (redemption_id IS NOT NULL)", name="of_a_redemption"),
        UniqueConstraint("bucket", "redemption_id"),
        Index("ix_reversal_institution_at", "institution_id", "at"),
        {"schema": "redemption"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    outcome: Mapped[str]
    redemption_id: Mapped[UUID | None]
    institution_id: Mapped[str]
    terminal_id: Mapped[str]
    request_no: Mapped[str]
    original_request_no: Mapped[str]
    reason: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime]
    operator: Mapped[str | None] = mapped_column(comment="who worked the terminal, by code, as it told")
