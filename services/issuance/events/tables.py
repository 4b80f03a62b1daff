from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class EventRow(Base):
    """An offline event or a fitness activity that staff set up, with the code on its poster.

    `seats_taken` is kept only where there is a capacity: check-ins at an event without one need not queue
    up at its row.
    """

    __tablename__ = "event"
    __table_args__ = (
        CheckConstraint("channel IN ('event', 'fitness')", name="known_channel"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("capacity > 0 AND rotate_seconds > 0", name="limits_positive"),
        CheckConstraint("seats_taken BETWEEN 0 AND coalesce(capacity, 0)", name="never_overfull"),
        Index("ix_event_campaign", "campaign_id", "starts_at", "id"),
        {"schema": "issuance", "postgresql_with": {"fillfactor": "50"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"))
    channel: Mapped[str]
    name: Mapped[str]
    place: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int | None]
    seats_taken: Mapped[int] = mapped_column(server_default=text("0"))
    rotate_seconds: Mapped[int | None] = mapped_column(comment="NULL: the code stays the same")
    code_hash: Mapped[bytes] = mapped_column(unique=True)
    code_sealed: Mapped[bytes]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None] = mapped_column(comment="closed by staff before its end")
