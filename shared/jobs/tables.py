from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class JobRow(Base):
    """A job that somebody waits for: its state, progress (0–100) and result, shown from here only."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'succeeded', 'failed')", name="known_state"),
        CheckConstraint("progress BETWEEN 0 AND 100", name="progress_percent"),
        {"schema": "core"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'queued'"))
    progress: Mapped[int] = mapped_column(server_default=text("0"))
    arguments: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    requested_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class ScheduleRow(Base):
    """When a periodic job ran last and who runs it now, so that many workers run it once."""

    __tablename__ = "schedule"
    __table_args__ = ({"schema": "core"},)

    name: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime] = mapped_column(comment="machine time")
    last_finished_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


class WorkerRow(Base):
    """Heartbeat of the job workers of a service (machine time)."""

    __tablename__ = "worker"
    __table_args__ = ({"schema": "core"},)

    queue: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]
