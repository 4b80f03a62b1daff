from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class NoticeRow(Base):
    """What a holder is to be told about a voucher. Its id is that of the outbox row that caused it.

    So a job that runs twice records one notice, and a voucher that is given back and used again has one
    for each time.
    """

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("kind IN ('issued', 'redeemed', 'restored')", name="known_kind"),
        CheckConstraint("state IN ('waiting', 'sent', 'failed')", name="known_state"),
        Index("ix_notice_voucher", "bucket", "voucher_id"),
        Index("ix_notice_waiting", "recorded_at", postgresql_where=text("state = 'waiting'")),
        {"schema": "issuance"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    voucher_id: Mapped[UUID]
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    recorded_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
