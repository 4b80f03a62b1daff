from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class HospitalEventRow(Base):
    """What happens to a hospital from a day on, as approved. Append-only: a mistake is withdrawn by a row."""

    __tablename__ = "hospital_event"
    __table_args__ = (
        CheckConstraint("kind IN ('open', 'close', 'merge', 'move', 'withdraw')", name="known_kind"),
        CheckConstraint("(kind = 'withdraw') = (withdraws IS NOT NULL)", name="withdraws_something"),
        CheckConstraint("(kind = 'move') = (alliance IS NOT NULL)", name="moves_to_an_alliance"),
        CheckConstraint(
            "CASE kind WHEN 'merge' THEN successor_id IS NOT NULL"
            " WHEN 'close' THEN true ELSE successor_id IS NULL END",
            name="successor_of_an_ending",
        ),
        CheckConstraint("successor_id <> hospital_id", name="two_hospitals"),
        Index("ix_hospital_event_programme", "programme_id", "day"),
        Index(
            "uq_hospital_event_withdraws",
            "withdraws",
            unique=True,
            postgresql_where=text("withdraws IS NOT NULL"),
        ),
        {"schema": "quota"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("quota.programme.id"))
    hospital_id: Mapped[str] = mapped_column(ForeignKey("quota.hospital.id"), index=True)
    kind: Mapped[str]
    day: Mapped[date] = mapped_column(comment="from this day on; of a withdrawal the withdrawn event's")
    successor_id: Mapped[str | None] = mapped_column(
        ForeignKey("quota.hospital.id"),
        comment="merge: into whom; close: whom its codes count for, if anybody",
    )
    alliance: Mapped[str | None] = mapped_column(comment="of a move; empty: stands alone")
    withdraws: Mapped[UUID | None] = mapped_column(ForeignKey("quota.hospital_event.id"))
    reason: Mapped[str]
    change_id: Mapped[UUID] = mapped_column(ForeignKey("core.change.id"), unique=True)
    recorded_at: Mapped[datetime]
