from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class ErasureRow(Base):
    """That a person was forgotten: by whose will, when, and what was given up with it. Append-only.

    `given_up` names vouchers and counts, nobody. `wholly`: from then on not even a keyed hash was left.
    """

    __tablename__ = "erasure"
    __table_args__ = (
        CheckConstraint("cause IN ('person', 'retention')", name="known_cause"),
        Index("ix_erasure_account", "account_id"),
        Index("ix_erasure_person", "bucket", "person_id"),
        {"schema": "issuance"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID | None]
    bucket: Mapped[int] = mapped_column(SmallInteger)
    person_id: Mapped[UUID]
    cause: Mapped[str]
    wholly: Mapped[bool]
    given_up: Mapped[dict[str, Any]]
    erased_at: Mapped[datetime]
