from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class PlatformKeyRow(Base):
    """A key of the card platform, for one programme. Sealed: we need its bytes to check signatures."""

    __tablename__ = "platform_key"
    __table_args__ = (
        CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="revoked_by_somebody"),
        {"schema": "quota"},
    )

    key_id: Mapped[str] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("quota.programme.id"), index=True)
    label: Mapped[str]
    key_sealed: Mapped[bytes]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
    revoked_by: Mapped[UUID | None]
    revoked_at: Mapped[datetime | None]
