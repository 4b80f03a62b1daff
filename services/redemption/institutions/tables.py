"""Institutions: who accepts which vouchers of which campaign."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from shared.db.base import Base


class InstitutionRow(Base):
    """An institution as it stands in the directory; what it accepts is said per campaign."""

    __tablename__ = "institution"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'paused', 'closed')", name="known_status"),
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
    hours: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True),
        comment="opening hours: spans by weekday, mon to sun; NULL where nobody said",
    )
    status: Mapped[str] = mapped_column(server_default=text("'active'"))
    operators_required: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="no write-off without an operator of its terminal's list"
    )
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]


class MembershipRow(Base):
    """That an institution takes part in a campaign, and the voucher types it accepts there.

    Where the campaign asks for approval, a type waits in `awaiting` until a change has moved it to
    `accepts`; a till knows only the latter.
    """

    __tablename__ = "membership"
    __table_args__ = (
        CheckConstraint("cardinality(accepts) + cardinality(awaiting) > 0", name="accepts_something"),
        Index("ix_membership_campaign_id", "campaign_id"),
        {"schema": "redemption"},
    )

    institution_id: Mapped[str] = mapped_column(ForeignKey("redemption.institution.id"), primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"), primary_key=True)
    accepts: Mapped[list[str]] = mapped_column(ARRAY(Text))
    awaiting: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    since: Mapped[datetime]


class InstitutionVersionRow(Base):
    """Who made, edited, imported or closed an institution, with what it was before. Append-only.

    `entry` and `before` are whole entries of the directory, with what it accepts in `campaign_id`. A row of
    an institution whose import was undone outlives it.
    """

    __tablename__ = "institution_version"
    __table_args__ = (
        CheckConstraint(
            "cause IN ('create', 'edit', 'import', 'undo', 'approve', 'close')", name="known_cause"
        ),
        CheckConstraint("(cause IN ('import', 'undo')) = (import_id IS NOT NULL)", name="import_named"),
        Index("ix_institution_version_import_id", "import_id"),
        {"schema": "redemption"},
    )

    institution_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    campaign_id: Mapped[UUID | None] = mapped_column(comment="whose vouchers `accepts` tells of")
    cause: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), comment="NULL: it was not there"
    )
    entry: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), comment="NULL: it is gone")
    import_id: Mapped[UUID | None]
    actor: Mapped[str]
    reason: Mapped[str | None]
    at: Mapped[datetime]
