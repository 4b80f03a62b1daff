from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class ReportTemplateRow(Base):
    """A campaign's template and words from a moment on; the highest version is in use. Append-only."""

    __tablename__ = "document_template"
    __table_args__ = (
        CheckConstraint("kind IN ('report')", name="known_kind"),
        {"schema": "issuance"},
    )

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sha256: Mapped[str | None] = mapped_column(comment="of the kept file; NULL: the platform's own template")
    words: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), comment="what stands beside the figures; NULL: nobody gave any"
    )
    put_by: Mapped[UUID]
    put_at: Mapped[datetime]


TABLE = Base.metadata.tables["issuance.document_template"]
