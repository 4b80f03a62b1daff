from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class ScreenLinkRow(Base):
    """A link that shows the big screen without a sign-in. Only the keyed hash of its token is stored."""

    __tablename__ = "screen_link"
    __table_args__ = (
        CheckConstraint(
            "expires_at > created_at AND expires_at <= created_at + interval '30 days'", name="expires_soon"
        ),
        CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="revoked_by_somebody"),
        Index("ix_screen_link_newest", "created_at", "id"),
        {"schema": "core"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    label: Mapped[str]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("core.staff.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_by: Mapped[UUID | None] = mapped_column(ForeignKey("core.staff.id"))
    revoked_at: Mapped[datetime | None]
