from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base

_ZERO = text("0")


class SignalMarkRow(Base):
    """A batch counted cards of a code on a day. Appended by the counting, folded into signal_day by a job."""

    __tablename__ = "signal_mark"
    __table_args__ = ({"schema": "quota"},)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    programme_id: Mapped[UUID]
    hospital_id: Mapped[str]
    code: Mapped[str]
    day: Mapped[date]


class SignalDayRow(Base):
    """A day of a hospital's code, rolled up for the signals: figures and no person.

    `stale` says that cards were counted since; a job then rolls the day up again, and once more when its
    cards have had time to be used.
    """

    __tablename__ = "signal_day"
    __table_args__ = (
        CheckConstraint("stale OR rolled_at IS NOT NULL", name="fresh_is_rolled_up"),
        Index("ix_signal_day_stale", "day", postgresql_where=text("stale")),
        Index("ix_signal_day_immature", "day", postgresql_where=text("NOT mature")),
        Index("ix_signal_day_programme_day", "programme_id", "day"),
        {"schema": "quota", "postgresql_with": {"fillfactor": "70"}},
    )

    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    hospital_id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True, comment="empty: assigned without one")
    day: Mapped[date] = mapped_column(primary_key=True, comment="on which the cards were opened")
    stale: Mapped[bool]
    mature: Mapped[bool] = mapped_column(comment="rolled up when its cards had had time to be used")
    rolled_at: Mapped[datetime | None]
    issued: Mapped[int] = mapped_column(server_default=_ZERO)
    used: Mapped[int] = mapped_column(server_default=_ZERO)
    busiest: Mapped[int] = mapped_column(server_default=_ZERO, comment="cards in its busiest ten minutes")
    scans: Mapped[int] = mapped_column(server_default=_ZERO)
