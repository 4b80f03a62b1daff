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


class WalkRow(Base):
    """How far periodic work has come along a column of time, so that a pass looks only at what is new.

    Moments of the walked column. `floor_at` is where the next pass begins: where the pass before the last
    one ended, so that everything is looked at twice and a row that was being written is not missed.
    """

    __tablename__ = "walk"
    __table_args__ = ({"schema": "core"},)

    name: Mapped[str] = mapped_column(primary_key=True)
    floor_at: Mapped[datetime]
    ceiling_at: Mapped[datetime] = mapped_column(comment="where the last pass ended")
    position_at: Mapped[datetime] = mapped_column(comment="how far the present pass has come")
    position_id: Mapped[UUID]
