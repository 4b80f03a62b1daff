"""Card events and what they count for.

Hot tables: `bucket` is first in every key, and there are no foreign keys to check for each of a batch's
thousand rows. A person is known by the keyed hash of the card platform's holder reference only.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class CardEventKeyRow(Base):
    """That an event was seen, and whose it is. What makes an event count once, whomever it names.

    Its bucket is of the event's id: the same id under another holder must meet the first one here.
    A repetition counts itself, so that its answer's commit proves the original durable.
    """

    __tablename__ = "card_event_key"
    __table_args__ = ({"schema": "quota", "postgresql_with": {"fillfactor": "90"}},)

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    holder_bucket: Mapped[int] = mapped_column(SmallInteger)
    holder_hash: Mapped[bytes]
    replays: Mapped[int] = mapped_column(server_default=text("0"))


class CardRow(Base):
    """A person's card in a programme, as it stands. Its row lock puts the person's events in one order."""

    __tablename__ = "card"
    __table_args__ = (
        CheckConstraint("state IN ('none', 'active', 'cancelled')", name="known_state"),
        CheckConstraint("(state = 'none') = (event_id IS NULL)", name="issued_by_an_event"),
        CheckConstraint("octet_length(holder_hash) = 16", name="holder_hash_form"),
        Index(
            "ix_card_unattributed",
            "programme_id",
            "opened_at",
            postgresql_where=text("state = 'active' AND hospital_id IS NULL"),
        ),
        # A hospital's cards of a day, for the signals: nobody counts by this.
        Index(
            "ix_card_hospital_opened",
            "programme_id",
            "hospital_id",
            "opened_at",
            postgresql_where=text("state = 'active' AND hospital_id IS NOT NULL"),
        ),
        {"schema": "quota", "postgresql_with": {"fillfactor": "85"}},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    holder_hash: Mapped[bytes] = mapped_column(primary_key=True)
    state: Mapped[str]
    hospital_id: Mapped[str | None] = mapped_column(comment="whom it counts for; NULL: unattributed")
    event_id: Mapped[str | None] = mapped_column(comment="the event that issued it")
    opened_at: Mapped[datetime | None]
    used: Mapped[bool]
    events: Mapped[int] = mapped_column(comment="how many of the person's events are stored")
    credits: Mapped[int] = mapped_column(comment="how many credits were written for the person")


class CardEventRow(Base):
    """An event of a person, in the order of arrival (`place`). Append-only."""

    __tablename__ = "card_event"
    __table_args__ = (
        CheckConstraint("kind IN ('issued', 'used', 'cancelled')", name="known_kind"),
        CheckConstraint(
            "outcome IN ('counted', 'already_has_card', 'unattributed', 'unknown_holder')",
            name="known_outcome",
        ),
        {"schema": "quota"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    holder_hash: Mapped[bytes] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str]
    kind: Mapped[str]
    scene: Mapped[str | None] = mapped_column(comment="as it was sent")
    hospital_id: Mapped[str | None] = mapped_column(comment="whose code that is; NULL: nobody's")
    at: Mapped[datetime] = mapped_column(comment="when it happened")
    received_at: Mapped[datetime]
    source: Mapped[str] = mapped_column(comment="platform:<key id> or file:<digest>")
    outcome: Mapped[str] = mapped_column(comment="as it was answered")
    device_hash: Mapped[int | None] = mapped_column(
        BigInteger, comment="keyed hash of the device that it came from; NULL: not told"
    )


class CardCreditRow(Base):
    """What an event adds to or takes from a hospital's figures on a day. Append-only.

    The tallies are the sums of these rows. When an earlier event comes late, the credits that no longer
    hold are taken back by rows of their own, and those that hold now are added.
    """

    __tablename__ = "card_credit"
    __table_args__ = (
        CheckConstraint("measure IN ('card', 'card_used', 'card_void')", name="known_measure"),
        CheckConstraint("n IN (-1, 1)", name="one_card"),
        {"schema": "quota"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    holder_hash: Mapped[bytes] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str]
    measure: Mapped[str]
    hospital_id: Mapped[str] = mapped_column(comment="empty: unattributed")
    code: Mapped[str] = mapped_column(
        server_default="",
        comment="the scene that brought the card; empty: none, or counted before codes were",
    )
    day: Mapped[date] = mapped_column(comment="the event's day, or the first day of the first open month")
    n: Mapped[int] = mapped_column(SmallInteger)
    recorded_at: Mapped[datetime]


class CardAssignmentRow(Base):
    """An unattributed card given to a hospital by a change. Append-only."""

    __tablename__ = "card_assignment"
    __table_args__ = ({"schema": "quota"},)

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True, comment="the holder's")
    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    hospital_id: Mapped[str]
    reason: Mapped[str]
    change_id: Mapped[UUID]
    assigned_at: Mapped[datetime]


class CardStageRow(Base):
    """Somebody on the way to a card: landed on the programme's page, or applied. Append-only.

    Told by platforms that can, counted for the funnel, and no part of what a card counts for. Its key in
    card_event_key makes it count once.
    """

    __tablename__ = "card_stage"
    __table_args__ = (
        CheckConstraint("kind IN ('landed', 'applied')", name="known_kind"),
        {"schema": "quota"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True, comment="the event's")
    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    holder_hash: Mapped[bytes]
    kind: Mapped[str]
    scene: Mapped[str | None] = mapped_column(comment="as it was sent")
    hospital_id: Mapped[str | None] = mapped_column(comment="whose code that is; NULL: nobody's")
    at: Mapped[datetime]
    day: Mapped[date] = mapped_column(comment="of the programme's time zone")
    received_at: Mapped[datetime]
    source: Mapped[str]
    device_hash: Mapped[int | None] = mapped_column(BigInteger)


class CardVoidRow(Base):
    """A card, by the event that opened it, that is evidence of a confirmed case of stuffing.

    Until it is used it counts in the gross figures only. Goes when no confirmed case names it any more.
    """

    __tablename__ = "card_void"
    __table_args__ = ({"schema": "quota"},)

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    holder_hash: Mapped[bytes] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)


class CardImportRow(Base):
    """How far the job of a long file has come: moved in the transaction that counts a part of it."""

    __tablename__ = "card_import"
    __table_args__ = ({"schema": "quota"},)

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    counted: Mapped[int] = mapped_column(comment="events of the file, from its beginning")
    outcomes: Mapped[dict[str, Any]]
