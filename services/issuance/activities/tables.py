"""What people did to take part, apart from the quiz, and what was decided about it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class ActivityRow(Base):
    """A share, a lead or a check-in. `day_no` is the person's n-th of that channel on that day.

    Evidence may name people, so it is sealed. What finds others like it (`subject_hash`, `text_bands`) is
    keyed, and tells nothing to whoever has only the table.
    """

    __tablename__ = "activity"
    __table_args__ = (
        UniqueConstraint("bucket", "campaign_id", "person_id", "channel", "day", "day_no"),
        UniqueConstraint("bucket", "person_id", "event_id", name="uq_activity_one_check_in_each"),
        CheckConstraint("channel IN ('share', 'lead', 'event', 'fitness')", name="known_channel"),
        CheckConstraint("state IN ('pending', 'accepted', 'rejected')", name="known_state"),
        CheckConstraint("(state = 'accepted') = (chances_granted > 0)", name="accepted_earns_chances"),
        CheckConstraint("(event_id IS NOT NULL) = (channel IN ('event', 'fitness'))", name="check_in"),
        Index("ix_activity_state", "state", "submitted_at", "id"),
        Index("ix_activity_person", "bucket", "person_id", "submitted_at", "id"),
        Index("ix_activity_event", "event_id", postgresql_where=text("event_id IS NOT NULL")),
        Index("ix_activity_subject", "campaign_id", "subject_hash", "submitted_at"),
        Index("ix_activity_text_bands", "text_bands", postgresql_using="gin"),
        {"schema": "issuance"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    phase_id: Mapped[UUID]
    person_id: Mapped[UUID]
    channel: Mapped[str]
    state: Mapped[str]
    day: Mapped[date] = mapped_column(Date)
    day_no: Mapped[int] = mapped_column(SmallInteger)
    submitted_at: Mapped[datetime]
    chances_granted: Mapped[int] = mapped_column(SmallInteger)
    event_id: Mapped[UUID | None]
    evidence_sealed: Mapped[bytes | None]
    subject_hash: Mapped[bytes | None] = mapped_column(comment="of what it is about: an address, a place")
    text_bands: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    category: Mapped[str | None] = mapped_column(comment="what kind of share or lead was accepted")


class ActivityDecisionRow(Base):
    """What was decided about an activity that waited: by whom, when, why. One each, append-only."""

    __tablename__ = "activity_decision"
    __table_args__ = (
        CheckConstraint("state IN ('accepted', 'rejected')", name="known_state"),
        CheckConstraint("state = 'accepted' OR note IS NOT NULL", name="rejected_with_a_reason"),
        {"schema": "issuance"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    activity_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    decided_by: Mapped[str] = mapped_column(comment="staff:<id>, or verifier")
    decided_at: Mapped[datetime]
    note: Mapped[str | None] = mapped_column(comment="told to the citizen when rejected")


class ActivityClaimRow(Base):
    """An activity that a reviewer took in hand, for a while: nobody else decides it meanwhile."""

    __tablename__ = "activity_claim"
    __table_args__ = (
        Index("ix_activity_claim_staff", "staff_id", "expires_at"),
        {"schema": "issuance"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    activity_id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[UUID]
    expires_at: Mapped[datetime]
