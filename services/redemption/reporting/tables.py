from datetime import date
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class InstitutionStatisticsRow(Base):
    """Live write-offs by institution, day of use and type: counted by job, exactly once each.

    A count may be below zero for a moment, when the job of a reversal runs before that of its original.
    """

    __tablename__ = "institution_statistics"
    __table_args__ = ({"schema": "redemption", "postgresql_with": {"fillfactor": "70"}},)

    campaign_id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    voucher_type: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    applied_fen: Mapped[int]
