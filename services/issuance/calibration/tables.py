"""What the responses of a large campaign come to: counts that are added to, and the figures from them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, Float, ForeignKey, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class CalibrationRow(Base):
    """How far a campaign's responses are counted, and as of when its figures stand.

    Days before `next_day` are counted for good, and so are the buckets before `next_bucket` of that day. A
    run marks the row as its own; whoever was at it before stops at its next step.
    """

    __tablename__ = "calibration"
    __table_args__ = (
        CheckConstraint("(as_of IS NULL) = (attempts IS NULL)", name="figures_with_their_moment"),
        {"schema": "issuance"},
    )

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"), primary_key=True)
    run_id: Mapped[UUID]
    next_day: Mapped[date | None] = mapped_column(Date)
    next_bucket: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    as_of: Mapped[datetime | None] = mapped_column(comment="of question_statistics; NULL: there are none yet")
    attempts: Mapped[int | None] = mapped_column(comment="that those figures are from")


class ResponseCountRow(Base):
    """How many attempts with `right_answers` of `asked` right gave this answer to a question.

    Sums of counts are all that the statistics need, so what is counted once is never read again. `settled`
    counts are of days on which nothing can be answered any more; the others are made anew by each run.
    """

    __tablename__ = "response_count"
    __table_args__ = (
        CheckConstraint("right_answers BETWEEN 0 AND asked AND asked > 0", name="right_of_asked"),
        CheckConstraint("n > 0", name="counted"),
        {"schema": "issuance"},
    )

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"), primary_key=True)
    question_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    settled: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    asked: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    right_answers: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    answer: Mapped[str] = mapped_column(primary_key=True, comment="original option keys, sorted: AC")
    correct: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    n: Mapped[int]


class QuestionStatisticsRow(Base):
    """A question's figures as of the campaign's calibration, as they were computed."""

    __tablename__ = "question_statistics"
    __table_args__ = ({"schema": "issuance"},)

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"), primary_key=True)
    question_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    attempts: Mapped[int]
    facility: Mapped[float] = mapped_column(Float)
    facility_low: Mapped[float] = mapped_column(Float)
    facility_high: Mapped[float] = mapped_column(Float)
    discrimination: Mapped[float] = mapped_column(Float)
    point_biserial: Mapped[float | None] = mapped_column(Float)
    options: Mapped[list[Any]] = mapped_column(comment="[key, chosen, upper, lower, finding] of each option")
    verdict: Mapped[str]
