from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from shared.db.base import Base


class OperatorRow(Base):
    """Somebody who works an institution's terminals, by the short code that is typed there.

    A code is given out once: whoever leaves is ended, so that old write-offs still say who made them.
    """

    __tablename__ = "operator"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by_somebody"),
        CheckConstraint("end_reason IS NULL OR ended_at IS NOT NULL", name="end_reason_of_an_end"),
        Index("ix_operator_terminal_id", "terminal_id", postgresql_where=text("terminal_id IS NOT NULL")),
        {"schema": "redemption"},
    )

    institution_id: Mapped[str] = mapped_column(ForeignKey("redemption.institution.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    # Read by the code before `terminals` only, which a rolling upgrade keeps running: its contract step.
    terminal_id: Mapped[str | None] = mapped_column(
        ForeignKey("redemption.terminal.id"), comment="superseded by terminals, to be dropped after it"
    )
    terminals: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="ids; empty: every terminal of the institution"
    )
    label: Mapped[str] = mapped_column(comment="what the institution calls them, no legal name needed")
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
    ended_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
