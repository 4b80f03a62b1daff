from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class StuffingCaseRow(Base):
    """A code's day that looks as if cards were made up: one case for each signal.

    While it is open or watched, later findings of the signal renew it. Dismissed or confirmed it stays as
    it is; a confirmed one is taken back by a change only.
    """

    __tablename__ = "stuffing_case"
    __table_args__ = (
        CheckConstraint("kind IN ('burst', 'regular', 'unused', 'devices')", name="known_kind"),
        CheckConstraint("status IN ('open', 'watching', 'dismissed', 'confirmed')", name="known_status"),
        CheckConstraint("(status = 'open') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("status <> 'confirmed' OR change_id IS NOT NULL", name="confirmed_by_a_change"),
        CheckConstraint("score BETWEEN 0 AND 100", name="score"),
        UniqueConstraint("programme_id", "hospital_id", "code", "day", "kind"),
        Index("ix_stuffing_case_opened", "programme_id", "opened_at", "id"),
        {"schema": "quota"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("quota.programme.id"))
    hospital_id: Mapped[str]
    code: Mapped[str]
    day: Mapped[date]
    kind: Mapped[str]
    score: Mapped[int] = mapped_column(SmallInteger)
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, comment="word, value seen, threshold, one sentence in two languages"
    )
    status: Mapped[str] = mapped_column(server_default=text("'open'"))
    opened_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    reason: Mapped[str | None] = mapped_column(comment="why it was decided so")
    change_id: Mapped[UUID | None] = mapped_column(comment="of the last confirmation or withdrawal")


class StuffingItemRow(Base):
    """A card that is evidence of a case, by the event that opened it; `device` tells devices apart in it."""

    __tablename__ = "stuffing_item"
    __table_args__ = (
        Index("ix_stuffing_item_card", "bucket", "programme_id", "holder_hash", "event_id"),
        {"schema": "quota"},
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("quota.stuffing_case.id"), primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    holder_hash: Mapped[bytes] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID]
    at: Mapped[datetime]
    device: Mapped[int | None]
