from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class CorrectionRow(Base):
    """That a settled write-off is taken back: a negative line in the next settlement. Once for each.

    By a dispute that was right it is a line of its own settlement, which is not confirmed then.

    Only `settlement_id` changes, once. The voucher stays redeemed, the write-off as it is.
    """

    __tablename__ = "correction"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint(
            "CASE WHEN dispute_id IS NULL THEN settlement_id <> original_settlement_id"
            " ELSE settlement_id = original_settlement_id AND settlement_id IS NOT NULL END",
            name="in_its_place",
        ),
        Index(
            "ix_correction_waiting",
            "campaign_id",
            "institution_id",
            postgresql_where=text("settlement_id IS NULL"),
        ),
        Index("ix_correction_settlement", "settlement_id"),
        {"schema": "redemption"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    redemption_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    institution_id: Mapped[str]
    voucher_type: Mapped[str]
    amount_fen: Mapped[int] = mapped_column(comment="what is taken back: the write-off's applied amount")
    split_fen: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), comment="the write-off's own")
    original_settlement_id: Mapped[UUID] = mapped_column(ForeignKey("redemption.settlement.id"))
    reason: Mapped[str]
    change_id: Mapped[UUID] = mapped_column(ForeignKey("core.change.id"))
    at: Mapped[datetime]
    settlement_id: Mapped[UUID | None] = mapped_column(ForeignKey("redemption.settlement.id"))
    dispute_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("redemption.settlement_dispute.id"), comment="that was right about it"
    )
