from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base

_ZERO = text("0")


class RiskDayRow(Base):
    """An institution's day of a campaign, rolled up for the signals: figures and no person.

    `stale` says that write-offs or reversals were counted since; a job then rolls the day up again.
    `deferred_at`: that failed, so the job goes on with other days and leaves this one to a job of its own.
    """

    __tablename__ = "risk_day"
    __table_args__ = (
        CheckConstraint("stale OR rolled_at IS NOT NULL", name="fresh_is_rolled_up"),
        CheckConstraint("stale OR deferred_at IS NULL", name="fresh_is_not_deferred"),
        Index("ix_risk_day_stale", "day", postgresql_where=text("stale")),
        Index("ix_risk_day_campaign_day", "campaign_id", "day"),
        Index("ix_risk_day_deferred", "campaign_id", postgresql_where=text("deferred_at IS NOT NULL")),
        {"schema": "redemption", "postgresql_with": {"fillfactor": "70"}},
    )

    campaign_id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    stale: Mapped[bool]
    rolled_at: Mapped[datetime | None]
    deferred_at: Mapped[datetime | None] = mapped_column(
        comment="it could not be rolled up or judged, and a job of its own tries again"
    )
    live: Mapped[int] = mapped_column(server_default=_ZERO)
    reversed: Mapped[int] = mapped_column(server_default=_ZERO)
    redone: Mapped[int] = mapped_column(
        server_default=_ZERO, comment="live ones of a voucher that was reversed here on the same day"
    )
    manual: Mapped[int] = mapped_column(server_default=_ZERO)
    prompt: Mapped[int] = mapped_column(server_default=_ZERO, comment="within minutes of being issued")
    billed: Mapped[int] = mapped_column(server_default=_ZERO, comment="with a bill (general vouchers)")
    face_bills: Mapped[int] = mapped_column(server_default=_ZERO, comment="bill = face value")
    same_bills: Mapped[int] = mapped_column(server_default=_ZERO, comment="the most of one other amount")
    hours: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), server_default=text("'{}'"), comment="live ones by hour of the campaign's day"
    )
    holders: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger),
        server_default=text("'{}'"),
        comment="a number per live one, equal for one holder, without meaning elsewhere",
    )
