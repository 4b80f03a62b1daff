from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class WrongCodesRow(Base):
    """How often a terminal asked for what is not there. Only misses write it: good write-offs pay nothing."""

    __tablename__ = "wrong_codes"
    __table_args__ = (
        CheckConstraint("total >= misses AND misses >= 0", name="counted"),
        Index("ix_wrong_codes_locked", "locked_until", postgresql_where=text("locked_until IS NOT NULL")),
        {"schema": "redemption"},
    )

    terminal_id: Mapped[str] = mapped_column(ForeignKey("redemption.terminal.id"), primary_key=True)
    total: Mapped[int] = mapped_column(comment="since the terminal was made")
    misses: Mapped[int] = mapped_column(comment="since `window_started_at`")
    window_started_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]


class LockoutRow(Base):
    """That a terminal was locked after too many wrong codes, or let in again before its time. Append-only."""

    __tablename__ = "lockout"
    __table_args__ = (
        CheckConstraint("kind IN ('locked', 'unlocked')", name="known_kind"),
        CheckConstraint("(kind = 'locked') = (locked_until IS NOT NULL)", name="locked_until"),
        Index("ix_lockout_at", "at", "id"),
        {"schema": "redemption"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    terminal_id: Mapped[str] = mapped_column(ForeignKey("redemption.terminal.id"))
    institution_id: Mapped[str]
    kind: Mapped[str]
    misses: Mapped[int | None] = mapped_column(comment="within the window that ended in the lock")
    locked_until: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(comment="why staff let it in again")
    actor: Mapped[str]
    at: Mapped[datetime]
