from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class PayeeAccountRow(Base):
    """An institution's bank account: proposed by one, in force from the moment that another approves it.

    In force is the highest version. Nothing but `version` and `effective_from` is ever written again, once.
    """

    __tablename__ = "payee_account"
    __table_args__ = (
        CheckConstraint("version > 0", name="version_positive"),
        CheckConstraint(
            "(version IS NULL) = (effective_from IS NULL) AND (version IS NULL OR change_id IS NOT NULL)",
            name="approved",
        ),
        UniqueConstraint("institution_id", "version"),
        Index(
            "ix_payee_account_in_force",
            "institution_id",
            "effective_from",
            postgresql_where=text("version IS NOT NULL"),
        ),
        {"schema": "redemption"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("redemption.institution.id"))
    details_sealed: Mapped[bytes] = mapped_column(comment="account name, bank and number, as JSON")
    account_name_masked: Mapped[str]
    bank_name_masked: Mapped[str]
    account_number_masked: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("core.staff.id"))
    proposed_at: Mapped[datetime]
    change_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.change.id"))
    version: Mapped[int | None] = mapped_column(SmallInteger)
    effective_from: Mapped[datetime | None]
