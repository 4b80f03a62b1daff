from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class HospitalRow(Base):
    """A hospital of a programme. Its place in lists, and among equal remainders, is its place in the file.

    What happens to it with dates (it opens, closes, merges, moves to another alliance) are its events; how it
    stands on a day says `quota.hospital_at`.
    """

    __tablename__ = "hospital"
    __table_args__ = (
        UniqueConstraint("programme_id", "name_key"),
        UniqueConstraint("programme_id", "position"),
        CheckConstraint("visits >= 0", name="visits_not_negative"),
        {"schema": "quota"},
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("quota.programme.id"))
    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(comment="the name in one spelling; the key of imports")
    alliance: Mapped[str] = mapped_column(server_default=text("''"), comment="empty: stands alone")
    visits: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
