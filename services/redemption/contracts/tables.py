from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class ContractPriceRow(Base):
    """What an institution is paid for a directed voucher from a day on, by its contract. Append-only.

    In force at a moment: of those that begin no later the one that begins last, and of several for one
    beginning the last version. A version is written before it begins, so what was written off never
    changes its price. The primary key is what the write-off looks it up by.
    """

    __tablename__ = "contract_price"
    __table_args__ = (
        CheckConstraint("price_fen > 0", name="price_positive"),
        CheckConstraint("created_at < effective_from", name="written_before_it_begins"),
        {"schema": "redemption"},
    )

    institution_id: Mapped[str] = mapped_column(ForeignKey("redemption.institution.id"), primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"), primary_key=True)
    voucher_type: Mapped[str] = mapped_column(primary_key=True)
    effective_from: Mapped[datetime] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    effective_day: Mapped[date] = mapped_column(comment="in the campaign's time zone")
    price_fen: Mapped[int | None] = mapped_column(comment="NULL: the campaign's price from then on")
    reason: Mapped[str]
    change_id: Mapped[UUID] = mapped_column(ForeignKey("core.change.id"))
    created_at: Mapped[datetime]
