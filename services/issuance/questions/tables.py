"""The question bank, and the files that were imported into it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from shared.db.base import Base


class QuestionRow(Base):
    """A version of a question, as it was asked: never edited, a better wording is a new version.

    Attempts name versions, so that each keeps what it showed. `first_id` is the first version's id (NULL in
    that one). A version that was replaced is retired for good; the last one can be put back into use.
    """

    __tablename__ = "question"
    __table_args__ = (
        UniqueConstraint("first_id", "version"),
        CheckConstraint("difficulty BETWEEN 1 AND 3", name="difficulty_range"),
        CheckConstraint("cardinality(answer) > 0", name="has_answer"),
        CheckConstraint("(first_id IS NULL) = (version = 1)", name="first_version"),
        CheckConstraint("superseded_at IS NULL OR retired_at IS NOT NULL", name="superseded_is_retired"),
        # A question that was edited back to an earlier wording is a version of its own.
        Index(
            "uq_question_content",
            "campaign_id",
            "content_hash",
            unique=True,
            postgresql_where=sql("superseded_at IS NULL"),
        ),
        Index("ix_question_campaign", "campaign_id", "id"),
        {"schema": "issuance"},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"))
    text: Mapped[str]
    options: Mapped[dict[str, Any]] = mapped_column(comment='{"A": "…", "B": "…"}')
    answer: Mapped[list[str]] = mapped_column(ARRAY(Text))
    explanation: Mapped[str | None]
    difficulty: Mapped[int] = mapped_column(SmallInteger)
    category: Mapped[str | None]
    content_hash: Mapped[bytes]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    retired_reason: Mapped[str | None]
    superseded_at: Mapped[datetime | None]
    first_id: Mapped[int | None] = mapped_column(ForeignKey("issuance.question.id"))
    version: Mapped[int] = mapped_column(SmallInteger, server_default=sql("1"))


class QuestionImportRow(Base):
    """A file that was imported whole, so that the same file again is recognised and said to be known."""

    __tablename__ = "question_import"
    __table_args__ = (
        CheckConstraint("octet_length(file_hash) = 32", name="file_hash_sha256"),
        {"schema": "issuance"},
    )

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"), primary_key=True)
    file_hash: Mapped[bytes] = mapped_column(primary_key=True)
    rows: Mapped[int]
    accepted: Mapped[int]
    imported_at: Mapped[datetime]
    imported_by: Mapped[UUID]
