from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base

STATES = ("waiting", "trying", "deferred", "sent", "refused", "unknown", "skipped")


class DeliveryRow(Base):
    """One notice on its way over one channel. An attempt is recorded (`trying`) before it is made."""

    __tablename__ = "notice_delivery"
    __table_args__ = (
        UniqueConstraint("bucket", "notice_id", "channel"),
        CheckConstraint("channel IN ('wechat', 'sms')", name="known_channel"),
        CheckConstraint(f"state IN {STATES}", name="known_state"),
        CheckConstraint("(state = 'deferred') = (not_before IS NOT NULL)", name="deferred"),
        CheckConstraint("(state <> 'trying' AND state <> 'sent') OR attempts > 0", name="attempts_counted"),
        Index("ix_notice_delivery_deferred", "not_before", postgresql_where=text("state = 'deferred'")),
        {"schema": "issuance", "postgresql_with": {"fillfactor": "70"}},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_id: Mapped[UUID]
    channel: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    not_before: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(comment="why it ended so: a word, or the provider's code")
    created_at: Mapped[datetime]
    tried_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
