"""People: citizens' accounts and persons, staff and their sessions. Personal fields are sealed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
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
    forgotten_at: Mapped[datetime | None] = mapped_column(comment="nothing leads to the human being any more")


class PersonIdentityRow(Base):
    """One row per natural person ever seen: what makes two accounts of one person impossible.

    It outlives erasure (keyed hash only) until the person's campaigns have ended, so that limits are not
    reset by coming back.
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
    """A sign-in of a channel (WeChat, Alipay, demo): openid and the like, as a keyed hash.

    An erased account knows its subject no more, so that the subject's next sign-in makes a new one.
    """

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("provider", "subject_hash"),
        ForeignKeyConstraint(["bucket", "person_id"], ["core.person.bucket", "core.person.id"]),
        CheckConstraint(
            "erased_at IS NOT NULL OR (subject_hash IS NOT NULL AND subject_sealed IS NOT NULL)",
            name="live_has_a_subject",
        ),
        Index("ix_account_person", "bucket", "person_id"),
        # Few: looked through before every batch of the hot operations.
        Index(
            "ix_account_absent",
            "id",
            postgresql_where=text("erased_at IS NOT NULL OR consent_withdrawn_at IS NOT NULL"),
        ),
        {"schema": "core"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider: Mapped[str]
    subject_hash: Mapped[bytes | None]
    subject_sealed: Mapped[bytes | None] = mapped_column(comment="needed to send the citizen a message")
    bucket: Mapped[int] = mapped_column(SmallInteger)
    person_id: Mapped[UUID]
    left_bucket: Mapped[int | None] = mapped_column(SmallInteger)
    left_person_id: Mapped[UUID | None] = mapped_column(
        comment="the provisional person that it stood for before it adopted one who was here already"
    )
    created_at: Mapped[datetime]
    consent_withdrawn_at: Mapped[datetime | None] = mapped_column(comment="NULL again once consent is given")
    erased_at: Mapped[datetime | None]


class FormerSubjectRow(Base):
    """The subject of an erased account whose person never had an identity: a keyed hash only.

    Whoever signs in again meets that person's limits; gone when the person's campaigns have ended.
    """

    __tablename__ = "former_subject"
    __table_args__ = (
        ForeignKeyConstraint(["bucket", "person_id"], ["core.person.bucket", "core.person.id"]),
        Index("ix_former_subject_person", "bucket", "person_id"),
        {"schema": "core"},
    )

    provider: Mapped[str] = mapped_column(primary_key=True)
    subject_hash: Mapped[bytes] = mapped_column(primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger)
    person_id: Mapped[UUID]


class ConsentRow(Base):
    """That a citizen agreed, to which text, when and how; or took it back. Append-only."""

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint("action IN ('given', 'withdrawn')", name="known_action"),
        Index("ix_consent_account", "account_id"),
        {"schema": "core"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("core.account.id"))
    purpose: Mapped[str]
    text_version: Mapped[str]
    given_at: Mapped[datetime]
    action: Mapped[str] = mapped_column(server_default=text("'given'"))
    how: Mapped[str] = mapped_column(server_default=text("'identity_form'"))


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
    device: Mapped[str | None] = mapped_column(comment="browser and system, as the sign-in named them")
    last_seen_at: Mapped[datetime | None] = mapped_column(comment="to some minutes")


class StaffFactorRow(Base):
    """The second factor of a staff member (RFC 6238); it counts once it is confirmed with a code."""

    __tablename__ = "staff_factor"
    __table_args__ = ({"schema": "core"},)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("core.staff.id"), primary_key=True)
    secret_sealed: Mapped[bytes]
    begun_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int | None] = mapped_column(
        BigInteger, comment="the newest time step whose code was accepted: it and older ones are spent"
    )


class StaffRecoveryCodeRow(Base):
    """Stands in for the second factor, once; only the keyed hash is stored."""

    __tablename__ = "staff_recovery_code"
    __table_args__ = ({"schema": "core"},)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("core.staff.id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    used_at: Mapped[datetime | None]


class SignInFailureRow(Base):
    """Failed sign-ins of a user name, for the lockout; one row per name, known or not."""

    __tablename__ = "sign_in_failure"
    __table_args__ = ({"schema": "core"},)

    username_hash: Mapped[bytes] = mapped_column(primary_key=True)
    failures: Mapped[int]
    window_started_at: Mapped[datetime]
