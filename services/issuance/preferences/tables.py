from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from shared.db.base import Base


class PreferenceRow(Base):
    """How a person wants to be told beside the own inbox. No row: in no other way.

    The phone is sealed, and confirmed by a code; its keyed hash finds it again when its owner complains.
    """

    __tablename__ = "notice_preference"
    __table_args__ = (
        CheckConstraint("language IN ('zh', 'en')", name="known_language"),
        CheckConstraint("NOT sms_enabled OR phone_sealed IS NOT NULL", name="sms_needs_a_phone"),
        CheckConstraint(
            "num_nonnulls(phone_sealed, phone_hash, phone_masked) IN (0, 3)",
            name="whole_phone",
        ),
        Index("ix_notice_preference_phone", "phone_hash"),
        {"schema": "issuance"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(server_default=text("'zh'"))
    sms_enabled: Mapped[bool] = mapped_column(server_default=text("false"))
    sms_kinds: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="kinds of notice wanted by SMS")
    phone_sealed: Mapped[bytes | None]
    phone_hash: Mapped[bytes | None]
    phone_masked: Mapped[str | None]
    updated_at: Mapped[datetime]


class GrantRow(Base):
    """How many messages of a WeChat template the person has agreed to, as the mini-program reported it.

    WeChat keeps the real count; this one says whether asking is worth while.
    """

    __tablename__ = "notice_grant"
    __table_args__ = (
        CheckConstraint("grants_left >= 0", name="never_overdrawn"),
        {"schema": "issuance"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    template_id: Mapped[str] = mapped_column(primary_key=True)
    grants_left: Mapped[int]
    updated_at: Mapped[datetime]
