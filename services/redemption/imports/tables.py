from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class DirectoryImportRow(Base):
    """A list that was imported into a campaign's directory; a file is known again by its digest."""

    __tablename__ = "directory_import"
    __table_args__ = (
        CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name="undone_by_somebody"),
        Index("ix_directory_import_file", "campaign_id", "file_sha256"),
        Index("ix_directory_import_at", "imported_at", "id"),
        {"schema": "redemption"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"))
    file_sha256: Mapped[bytes]
    rows: Mapped[int]
    accepted: Mapped[int]
    updated: Mapped[int] = mapped_column(server_default=text("0"))
    imported_by: Mapped[UUID]
    imported_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[UUID | None]
