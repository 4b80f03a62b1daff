from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class NonceRow(Base):
    """Nonces of signed requests, kept for as long as their timestamp would be accepted.

    Unlogged on purpose: after a crash the window's nonces are forgotten, and a replay in that window
    is still answered by its request number without a second effect.
    """

    __tablename__ = "nonce"
    __table_args__ = (
        Index("ix_nonce_expires_at", "expires_at"),
        {"schema": "core", "prefixes": ["UNLOGGED"]},
    )

    key_id: Mapped[str] = mapped_column(primary_key=True)
    nonce: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]
