from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class OutboxRow(Base):
    """What must happen next, written in the transaction that made it necessary.

    The row is deleted in the transaction of its effect; a row that failed too often stays as `dead`
    until staff re-queue it. `payload` holds ids only, never a person.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("state IN ('ready', 'dead')", name="known_state"),
        Index("ix_outbox_due", "queue", "next_at", postgresql_where=text("state = 'ready'")),
        {"schema": "core", "postgresql_with": {"fillfactor": "70"}},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    queue: Mapped[str] = mapped_column(comment="the service whose workers do it")
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(server_default=text("'ready'"))
    attempt: Mapped[int] = mapped_column(server_default=text("0"))
    next_at: Mapped[datetime] = mapped_column(comment="machine time: not before then; moved on by a lease")
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
