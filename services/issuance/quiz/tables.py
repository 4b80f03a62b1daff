"""Participants and their attempts at the quiz."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    Index,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from shared.db.base import Base


class ParticipantRow(Base):
    """A person in a campaign: where its attempts and draws queue up, with the day's counts."""

    __tablename__ = "participant"
    __table_args__ = ({"schema": "issuance", "postgresql_with": {"fillfactor": "80"}},)

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    attempts_day: Mapped[date | None] = mapped_column(Date)
    attempts_today: Mapped[int] = mapped_column(server_default="0")
    answered_day: Mapped[date | None] = mapped_column(Date, comment="last day with an answered attempt")
    draws_day: Mapped[date | None] = mapped_column(Date)
    draws_today: Mapped[int] = mapped_column(server_default="0")


class AttemptRow(Base):
    """An attempt: what was asked in which order, and what was answered.

    `option_orders[i]` lists question i's option keys in the order in which they were shown, as text
    ("CABD"); shown key A is the first of them. `day_no` is the person's n-th attempt of that day.
    """

    __tablename__ = "quiz_attempt"
    __table_args__ = (
        UniqueConstraint("bucket", "campaign_id", "person_id", "day", "day_no"),
        CheckConstraint("state IN ('open', 'answered')", name="known_state"),
        CheckConstraint("(state = 'answered') = (answered_at IS NOT NULL)", name="answered_at"),
        CheckConstraint("cardinality(question_ids) = cardinality(option_orders)", name="one_order_each"),
        Index("ix_quiz_attempt_campaign_day", "campaign_id", "day"),
        {"schema": "issuance", "postgresql_with": {"fillfactor": "80"}},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    phase_id: Mapped[UUID]
    person_id: Mapped[UUID]
    rule_id: Mapped[UUID]
    day: Mapped[date] = mapped_column(Date)
    day_no: Mapped[int] = mapped_column(SmallInteger)
    question_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    option_orders: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str] = mapped_column(server_default="open")
    started_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    drafts: Mapped[list[str] | None] = mapped_column(ARRAY(Text), comment="as answers, before they are sent")
    answers: Mapped[list[str] | None] = mapped_column(ARRAY(Text), comment="original option keys, sorted: AC")
    correct: Mapped[list[bool] | None] = mapped_column(ARRAY(Boolean))
    score: Mapped[int | None] = mapped_column(SmallInteger)
    passed: Mapped[bool | None]
    chances_granted: Mapped[int | None] = mapped_column(SmallInteger)
