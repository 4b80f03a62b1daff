from datetime import timedelta

from sqlalchemy import CheckConstraint, Interval
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class DemoClockRow(Base):
    """How far the demonstration's clock is ahead of the machine's; every process follows it."""

    __tablename__ = "demo_clock"
    __table_args__ = (CheckConstraint("only_row", name="one_row"), {"schema": "core"})

    only_row: Mapped[bool] = mapped_column(primary_key=True)
    offset: Mapped[timedelta] = mapped_column(Interval)
