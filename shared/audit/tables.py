from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class AuditEntryRow(Base):
    """What staff did: who, what, to which object, before and after, when. Append-only, hash-chained."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        CheckConstraint("octet_length(entry_hash) = 32", name="entry_hash_sha256"),
        {"schema": "core"},
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    object: Mapped[str]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    previous_hash: Mapped[bytes]
    entry_hash: Mapped[bytes]


class AuditHeadRow(Base):
    """The end of the chain; its row lock is what puts entries in one order."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("only_row", name="one_row"), {"schema": "core"})

    only_row: Mapped[bool] = mapped_column(primary_key=True)
    seq: Mapped[int]
    entry_hash: Mapped[bytes]
