from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class ManualWriteOffRow(Base):
    """Why a voucher was written off without being shown: one row for each write-off of source `manual`.

    Never deleted. The reason is sealed, and goes with its holder: a till may write a name into it.
    """

    __tablename__ = "manual_write_off"
    __table_args__ = (
        ForeignKeyConstraint(
            ["bucket", "redemption_id"], ["redemption.redemption.bucket", "redemption.redemption.id"]
        ),
        Index("ix_manual_write_off_campaign", "campaign_id", "at", "redemption_id"),
        {"schema": "redemption"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    redemption_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    institution_id: Mapped[str]
    terminal_id: Mapped[str]
    reason_sealed: Mapped[bytes | None] = mapped_column(comment="NULL: its holder was forgotten")
    at: Mapped[datetime]
