"""People: citizens' accounts and persons, staff and their sessions. Personal fields are sealed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from shared.db.base import Base


class PersonRow(Base):
    """A natural person as the platform knows one. All hot rows of a person share its bucket.

    The bucket is taken from the keyed hash of the first thing known of the person (the account that
    came first), so that everything a person does lies together before and after the identity is known.
    """

    __tablename__ = "person"
    __table_args__ = ({"schema": "core"},)

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name_sealed: Mapped[bytes | None]
    id_number_sealed: Mapped[bytes | None]
    name_masked: Mapped[str | None]
    verified_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class PersonIdentityRow(Base):
    """One row per natural person ever seen: what makes two accounts of one person impossible.

    It outlives erasure (keyed hash only), so that limits are not reset by coming back.
    """

    __tablename__ = "person_identity"
    __table_args__ = (
        ForeignKeyConstraint(["bucket", "person_id"], ["core.person.bucket", "core.person.id"]),
        Index("ix_person_identity_person", "bucket", "person_id"),
        {"schema": "core"},
    )

    identity_hash: Mapped[bytes] = mapped_column(primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger)
    person_id: Mapped[UUID]
    account_id: Mapped[UUID | None] = mapped_column(comment="the account that holds the person now")


class AccountRow(Base):
    """A sign-in of a channel (WeChat, Alipay, demo): openid and the like, as a keyed hash."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("provider", "subject_hash"),
        ForeignKeyConstraint(["bucket", "person_id"], ["core.person.bucket", "core.person.id"]),
        {"schema": "core"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider: Mapped[str]
    subject_hash: Mapped[bytes]
    subject_sealed: Mapped[bytes] = mapped_column(comment="needed to send the citizen a message")
    bucket: Mapped[int] = mapped_column(SmallInteger)
    person_id: Mapped[UUID]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]


class ConsentRow(Base):
    """That a citizen agreed, to which text, when. Append-only."""

    __tablename__ = "consent"
    __table_args__ = ({"schema": "core"},)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("core.account.id"))
    purpose: Mapped[str]
    text_version: Mapped[str]
    given_at: Mapped[datetime]


class StaffRow(Base):
    __tablename__ = "staff"
    __table_args__ = (
        CheckConstraint(
            "'institution' <> ALL (roles) OR institution_id IS NOT NULL", name="institution_bound"
        ),
        CheckConstraint("'hospital' <> ALL (roles) OR hospital_id IS NOT NULL", name="hospital_bound"),
        CheckConstraint(
            "roles <@ ARRAY['admin','operator','auditor','institution','hospital']", name="known_roles"
        ),
        {"schema": "core"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str] = mapped_column(comment="argon2id")
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    institution_id: Mapped[str | None]
    hospital_id: Mapped[str | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class StaffSessionRow(Base):
    """Opaque sessions: only the keyed hash of the token is stored, so that a leaked table opens nothing."""

    __tablename__ = "staff_session"
    __table_args__ = ({"schema": "core"},)

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("core.staff.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class SignInFailureRow(Base):
    """Failed sign-ins of a user name, for the lockout; one row per name, known or not."""

    __tablename__ = "sign_in_failure"
    __table_args__ = ({"schema": "core"},)

    username_hash: Mapped[bytes] = mapped_column(primary_key=True)
    failures: Mapped[int]
    window_started_at: Mapped[datetime]
