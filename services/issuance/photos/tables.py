from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class PhotoRow(Base):
    """A photo that a citizen uploaded. The picture itself lies sealed in the object store.

    It belongs to the one activity that used it; one that none used within a day is dropped.
    """

    __tablename__ = "photo"
    __table_args__ = (
        UniqueConstraint("bucket", "person_id", "content_hash"),
        CheckConstraint("octet_length(content_hash) = 32", name="content_hash_sha256"),
        CheckConstraint("address ~ '^[0-9a-f]{64}$'", name="address_form"),
        Index("ix_photo_activity", "activity_id"),
        Index("ix_photo_content_hash", "content_hash"),
        Index("ix_photo_look_bands", "look_bands", postgresql_using="gin"),
        Index("ix_photo_unused", "uploaded_at", postgresql_where=text("activity_id IS NULL")),
        {"schema": "issuance"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    activity_id: Mapped[UUID | None]
    position: Mapped[int | None] = mapped_column(SmallInteger, comment="its place in the activity, from 0")
    content_hash: Mapped[bytes] = mapped_column(comment="SHA-256 of the picture as it was drawn anew")
    address: Mapped[str] = mapped_column(comment="of the sealed picture in the object store")
    width: Mapped[int]
    height: Mapped[int]
    look: Mapped[int] = mapped_column(comment="dHash")
    look_bands: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    uploads: Mapped[int] = mapped_column(server_default=text("1"))
    uploaded_at: Mapped[datetime]
