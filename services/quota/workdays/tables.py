from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class WorkingYearRow(Base):
    """A year's calendar as staff brought it; the highest edition is in force. Append-only."""

    __tablename__ = "working_year"
    __table_args__ = (
        CheckConstraint("year BETWEEN 1900 AND 2199", name="year_range"),
        CheckConstraint("length(source) BETWEEN 1 AND 200", name="source_length"),
        {"schema": "quota"},
    )

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    edition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(comment="the notice that the days are taken from")
    file_sha256: Mapped[bytes]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]


class WorkingYearDayRow(Base):
    """A day that is not what its weekday says, or is a holiday by name. Append-only."""

    __tablename__ = "working_year_day"
    __table_args__ = (
        ForeignKeyConstraint(["year", "edition"], ["quota.working_year.year", "quota.working_year.edition"]),
        CheckConstraint("extract(year FROM day) = year", name="day_of_its_year"),
        {"schema": "quota"},
    )

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    edition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(primary_key=True)
    works: Mapped[bool] = mapped_column(comment="false: a day off; true: a make-up working day")
    label: Mapped[str]
