"""Phones that wait to be confirmed, and how many codes were sent today."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from shared.db.base import Base


class PhoneCodeRow(Base):
    """A phone that its person has yet to confirm, with the kinds of notice that shall go there.

    The code itself is nowhere: it is a keyed hash of `id`, made again where it is sent and where it is tried.
    """

    __tablename__ = "phone_code"
    __table_args__ = (
        CheckConstraint("tries BETWEEN 0 AND 5", name="tries_bounded"),
        CheckConstraint("expires_at > asked_at", name="valid_for_a_while"),
        Index("ix_phone_code_expires", "expires_at"),
        {"schema": "issuance"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(comment="another one for each code")
    phone_sealed: Mapped[bytes]
    phone_hash: Mapped[bytes]
    phone_masked: Mapped[str]
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    language: Mapped[str]
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"), comment="wrong ones")
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None] = mapped_column(comment="then the same code is answered again")


class PhoneCodeDayRow(Base):
    """How many codes went out on a day (China's) for a person, or to a phone; both are keyed hashes."""

    __tablename__ = "phone_code_day"
    __table_args__ = (
        CheckConstraint("sends > 0", name="counted"),
        {"schema": "issuance", "postgresql_with": {"fillfactor": "70"}},
    )

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    sends: Mapped[int] = mapped_column(SmallInteger)
