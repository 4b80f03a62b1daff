from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class HospitalCodeRow(Base):
    """A code of a hospital: its own, or a sub-code's.

    A replaced one hangs on walls for years, so it goes on counting.
    """

    __tablename__ = "hospital_code"
    __table_args__ = (
        CheckConstraint("scene ~ '^[0-9A-Z]{1,32}$'", name="scene_form"),
        CheckConstraint("(replaced_at IS NULL) = (replaced_reason IS NULL)", name="replaced_with_reason"),
        Index(
            "uq_hospital_code_in_use",
            "hospital_id",
            unique=True,
            postgresql_where=text("replaced_at IS NULL AND sub_code_id IS NULL"),
        ),
        Index(
            "uq_hospital_code_sub_code_in_use",
            "sub_code_id",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
        ),
        {"schema": "quota"},
    )

    scene: Mapped[str] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("quota.programme.id"))
    hospital_id: Mapped[str] = mapped_column(ForeignKey("quota.hospital.id"), index=True)
    sub_code_id: Mapped[str | None] = mapped_column(
        ForeignKey("quota.sub_code.id"), comment="whose it is below the hospital; NULL: the hospital's own"
    )
    created_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]
    replaced_reason: Mapped[str | None]


class SubCodeRow(Base):
    """A department, channel or member of staff with codes of its own that count for its hospital.

    Its codes change like the hospital's; a retired one has none in use, and goes on counting.
    """

    __tablename__ = "sub_code"
    __table_args__ = (
        CheckConstraint("kind IN ('department', 'channel', 'staff')", name="known_kind"),
        CheckConstraint("length(label) BETWEEN 1 AND 40", name="label_length"),
        CheckConstraint("(retired_at IS NULL) = (retired_reason IS NULL)", name="retired_with_reason"),
        Index(
            "uq_sub_code_label",
            "hospital_id",
            "kind",
            "label",
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
        ),
        {"schema": "quota"},
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    hospital_id: Mapped[str] = mapped_column(ForeignKey("quota.hospital.id"), index=True)
    kind: Mapped[str]
    label: Mapped[str]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    retired_reason: Mapped[str | None]
