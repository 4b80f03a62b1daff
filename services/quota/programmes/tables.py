"""Programmes, and the files that were imported into them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class ProgrammeRow(Base):
    """A programme: how many cards a city must issue. `definition` is what was sent.

    Its row is the gate between counting and freezing: a batch of card events holds it shared, a freeze
    holds it alone, so that no count slips into a month that was just frozen.
    """

    __tablename__ = "programme"
    __table_args__ = (
        CheckConstraint("target_cards > 0", name="target_positive"),
        CheckConstraint("issued_before_cards >= 0", name="issued_before_not_negative"),
        {"schema": "quota"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    timezone: Mapped[str]
    target_cards: Mapped[int]
    issued_before_cards: Mapped[int]
    landing_url: Mapped[str]
    ends_on: Mapped[date | None]
    definition: Mapped[dict[str, Any]]
    frozen_through: Mapped[date | None] = mapped_column(
        comment="last day of the last frozen month: nothing is counted on or before it any more"
    )
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]


class ImportedFileRow(Base):
    """A file that was imported, known again by its digest. Append-only."""

    __tablename__ = "imported_file"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('hospitals', 'card_events') OR starts_with(kind, 'basis:')", name="known_kind"
        ),
        {"schema": "quota"},
    )

    programme_id: Mapped[UUID] = mapped_column(ForeignKey("quota.programme.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    file_sha256: Mapped[bytes] = mapped_column(primary_key=True)
    imported_by: Mapped[UUID]
    imported_at: Mapped[datetime]
