from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class TerminalRow(Base):
    """A till of an institution. Its id is the `key_id` that it signs with; its key is stored sealed.

    `bucket` and `caller_id` say whose request numbers its are. After a check-in the key before stays
    good until `previous_good_until`, because the answer with the new one may have been lost.
    """

    __tablename__ = "terminal"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'active', 'paused', 'revoked')", name="known_status"),
        CheckConstraint("(status = 'pending') = (activation_hash IS NOT NULL)", name="activation_pending"),
        CheckConstraint("(status IN ('active', 'paused')) = (key_sealed IS NOT NULL)", name="key_while_live"),
        CheckConstraint(
            "(previous_key_sealed IS NULL) = (previous_good_until IS NULL)", name="previous_key_ends"
        ),
        Index("ix_terminal_institution_id", "institution_id"),
        {"schema": "redemption"},
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger)
    caller_id: Mapped[UUID] = mapped_column(unique=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("redemption.institution.id"))
    label: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'pending'"))
    activation_hash: Mapped[bytes | None] = mapped_column(unique=True, comment="keyed hash of the code")
    activation_expires_at: Mapped[datetime | None]
    key_sealed: Mapped[bytes | None]
    previous_key_sealed: Mapped[bytes | None]
    previous_good_until: Mapped[datetime | None]
    device_id: Mapped[str | None]
    activated_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None] = mapped_column(comment="its last signed call, to the minute")
    clock_skew_seconds: Mapped[int | None] = mapped_column(comment="how far its clock is ahead of ours")
    version: Mapped[str | None] = mapped_column(comment="of its software, as told at its last check-in")
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
