from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from services.issuance.notices.rules import KINDS
from shared.db.base import Base


class NoticeRow(Base):
    """What a person is told: a line in the own inbox, whatever else carries it.

    Told by an outbox row, it has that row's id: a job that runs twice records one notice, and a voucher
    that is given back and used again has one for each time. What can be due once only has a unique key.
    """

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", name="known_kind"),
        CheckConstraint("num_nonnulls(voucher_id, award_id, activity_id) = 1", name="one_subject"),
        Index("ix_notice_voucher", "bucket", "voucher_id"),
        Index("ix_notice_person", "bucket", "person_id", "recorded_at", "id"),
        Index(
            "uq_notice_voucher_once",
            "bucket",
            "voucher_id",
            "kind",
            "days",
            unique=True,
            postgresql_where=text("kind IN ('issued', 'revoked', 'expiring')"),
        ),
        Index(
            "uq_notice_award_once",
            "bucket",
            "award_id",
            "kind",
            unique=True,
            postgresql_where=text("award_id IS NOT NULL"),
        ),
        Index(
            "uq_notice_activity_once",
            "bucket",
            "activity_id",
            unique=True,
            postgresql_where=text("activity_id IS NOT NULL"),
        ),
        {"schema": "issuance"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID | None] = mapped_column(comment="NULL only where the code before it wrote the row")
    voucher_id: Mapped[UUID | None]
    award_id: Mapped[UUID | None]
    activity_id: Mapped[UUID | None]
    kind: Mapped[str]
    days: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("0"), comment="of a reminder: so long before the end, in days"
    )
    note: Mapped[str | None] = mapped_column(comment="the reason, in the words of whoever decided")
    recorded_at: Mapped[datetime]


class InboxMarkRow(Base):
    """Up to where a person has read the own inbox: the place of a notice. It never goes back."""

    __tablename__ = "inbox_mark"
    __table_args__ = ({"schema": "issuance", "postgresql_with": {"fillfactor": "70"}},)

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    read_at: Mapped[datetime] = mapped_column(comment="of the last notice that was read")
    read_id: Mapped[UUID]
