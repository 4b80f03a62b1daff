"""Who may not take part in a campaign, and the files that were imported into its lists."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base

_LISTED = text("lifted_at IS NULL")


class ExclusionRow(Base):
    """An entry of a list: a person, or an id number that nobody need have brought yet.

    Entries are their own history: only the lift is filled in later, and another reason or date is a new
    entry. The id number is a keyed hash (for look-up), sealed (for whoever may see it) and masked.
    """

    __tablename__ = "exclusion"
    __table_args__ = (
        CheckConstraint("list IN ('staff', 'blocked')", name="known_list"),
        CheckConstraint("(identity_hash IS NULL) <> (person_id IS NULL)", name="one_subject"),
        CheckConstraint("(person_id IS NULL) = (bucket IS NULL)", name="whole_person"),
        CheckConstraint(
            "(identity_hash IS NULL) = (id_number_sealed IS NULL)"
            " AND (identity_hash IS NULL) = (id_number_masked IS NULL)",
            name="whole_identity",
        ),
        CheckConstraint(
            "(lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lift_reason IS NULL)",
            name="lifted_by_somebody_with_a_reason",
        ),
        # Looked up by every start and draw of a campaign that has a list; and nobody is twice on one list.
        Index(
            "uq_exclusion_identity",
            "campaign_id",
            "identity_hash",
            "list",
            unique=True,
            postgresql_where=_LISTED,
        ),
        Index(
            "uq_exclusion_person",
            "campaign_id",
            "bucket",
            "person_id",
            "list",
            unique=True,
            postgresql_where=_LISTED,
        ),
        Index("ix_exclusion_campaign", "campaign_id", "added_at", "id"),
        {"schema": "issuance"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"))
    list: Mapped[str]
    identity_hash: Mapped[bytes | None] = mapped_column(comment="as in core.person_identity")
    id_number_sealed: Mapped[bytes | None]
    id_number_masked: Mapped[str | None]
    bucket: Mapped[int | None] = mapped_column(SmallInteger)
    person_id: Mapped[UUID | None]
    reason: Mapped[str] = mapped_column(comment="for staff only")
    appeal_note: Mapped[str] = mapped_column(comment="what the person is told: whom to ask")
    expires_at: Mapped[datetime | None]
    added_at: Mapped[datetime]
    added_by: Mapped[UUID]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[UUID | None]
    lift_reason: Mapped[str | None]


class ExclusionImportRow(Base):
    """A file that was imported whole, so that the same file again is recognised and said to be known."""

    __tablename__ = "exclusion_import"
    __table_args__ = (
        CheckConstraint("octet_length(file_hash) = 32", name="file_hash_keyed"),
        {"schema": "issuance"},
    )

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"), primary_key=True)
    file_hash: Mapped[bytes] = mapped_column(primary_key=True)
    rows: Mapped[int]
    accepted: Mapped[int]
    imported_at: Mapped[datetime]
    imported_by: Mapped[UUID]
