"""Institutions: who accepts which vouchers of which campaign."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from shared.db.base import Base


class InstitutionRow(Base):
    """An institution as it stands in the directory; what it accepts is said per campaign."""

    __tablename__ = "institution"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'paused')", name="known_status"),
        Index("ix_institution_name", "name"),
        Index("ix_institution_credit_code", "credit_code"),
        {"schema": "redemption"},
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    category: Mapped[str]
    county: Mapped[str | None]
    public: Mapped[bool | None] = mapped_column(comment="publicly owned; NULL where nobody said")
    address: Mapped[str | None]
    credit_code: Mapped[str | None] = mapped_column(comment="as given, also with a wrong check symbol")
    status: Mapped[str] = mapped_column(server_default=text("'active'"))
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]


class MembershipRow(Base):
    """That an institution takes part in a campaign, and the voucher types it accepts there."""

    __tablename__ = "membership"
    __table_args__ = (
        CheckConstraint("cardinality(accepts) > 0", name="accepts_something"),
        Index("ix_membership_campaign_id", "campaign_id"),
        {"schema": "redemption"},
    )

    institution_id: Mapped[str] = mapped_column(ForeignKey("redemption.institution.id"), primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"), primary_key=True)
    accepts: Mapped[list[str]] = mapped_column(ARRAY(Text))
    since: Mapped[datetime]


class DirectoryImportRow(Base):
    """A file that was imported into a campaign's directory, known again by its digest."""

    __tablename__ = "directory_import"
    __table_args__ = ({"schema": "redemption"},)

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"), primary_key=True)
    file_sha256: Mapped[bytes] = mapped_column(primary_key=True)
    rows: Mapped[int]
    accepted: Mapped[int]
    imported_by: Mapped[UUID]
    imported_at: Mapped[datetime]
