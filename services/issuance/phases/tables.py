from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class StockReturnRow(Base):
    """Vouchers that expired and whose pieces were carried over to another phase. Append-only."""

    __tablename__ = "stock_return"
    __table_args__ = (
        CheckConstraint("pieces > 0", name="something"),
        Index("ix_stock_return_phase", "phase_id", "voucher_type"),
        {"schema": "issuance"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    phase_id: Mapped[UUID] = mapped_column(ForeignKey("issuance.phase.id"))
    voucher_type: Mapped[str]
    pieces: Mapped[int]
    value_fen: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), comment="per payer: what these pieces cost at the shares of that moment"
    )
    change_id: Mapped[UUID] = mapped_column(ForeignKey("core.change.id"))
    at: Mapped[datetime]
