from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class ReconciliationRow(Base):
    """That an institution's list was compared with ours, and what came of it. Append-only.

    The workbook with all rows lies in the object store.
    """

    __tablename__ = "reconciliation"
    __table_args__ = (
        CheckConstraint("period_from <= period_to", name="period"),
        Index("ix_reconciliation_institution", "institution_id", "at", "id"),
        {"schema": "redemption"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("redemption.institution.id"))
    period_from: Mapped[date]
    period_to: Mapped[date]
    file_sha256: Mapped[bytes]
    matched: Mapped[int]
    only_ours: Mapped[int]
    only_theirs: Mapped[int]
    different: Mapped[int]
    rejected: Mapped[int] = mapped_column(comment="rows that could not be read")
    workbook_address: Mapped[str]
    requested_by: Mapped[UUID]
    at: Mapped[datetime]
