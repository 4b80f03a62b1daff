"""How far the draw logs are sealed, and their roots."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class DrawLogCutRow(Base):
    """No draw of the phase is stamped earlier. Moves forward only, under the lock of the award pool."""

    __tablename__ = "draw_log_cut"
    __table_args__ = ({"schema": "issuance"},)

    phase_id: Mapped[UUID] = mapped_column(ForeignKey("issuance.phase.id"), primary_key=True)
    at: Mapped[datetime]


class DrawLogRootRow(Base):
    """The log of a phase as it stood at a full hour, or at its close. Append-only."""

    __tablename__ = "draw_log_root"
    __table_args__ = (
        CheckConstraint("octet_length(root) = 32", name="root_sha256"),
        CheckConstraint("draws >= 0", name="draws_counted"),
        {"schema": "issuance"},
    )

    phase_id: Mapped[UUID] = mapped_column(ForeignKey("issuance.phase.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True, comment="covers the draws before this moment")
    draws: Mapped[int] = mapped_column(comment="of the phase so far, all hours together")
    root: Mapped[bytes] = mapped_column(comment="the head of the chain behind the last of these draws")
    sealed_at: Mapped[datetime]
