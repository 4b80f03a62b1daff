from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class SettlementRunRow(Base):
    """That a period of a campaign was settled; `id` is its job. Append-only.

    A write-off of a day that some run covered and that comes later (offline, held) is for the next run.
    """

    __tablename__ = "settlement_run"
    __table_args__ = (
        CheckConstraint("period_from <= period_to", name="period"),
        Index("ix_settlement_run_campaign", "campaign_id", "period_from"),
        {"schema": "redemption"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"))
    period_from: Mapped[date] = mapped_column(comment="days of the campaign's time zone, both included")
    period_to: Mapped[date]
    requested_by: Mapped[UUID | None]
    at: Mapped[datetime]
    hold_days: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("0"), comment="the hold period when the run began"
    )
    received_until: Mapped[datetime | None] = mapped_column(
        comment="what reached us later is within the hold period; none: no such period"
    )


class HeldBackRow(Base):
    """A write-off that a run would have settled and left out, and why. Append-only.

    It comes into a later run; the write-off's own `settlement_id` tells which.
    """

    __tablename__ = "held_back"
    __table_args__ = (
        CheckConstraint("cause IN ('hold_period', 'write_off_hold', 'institution_hold')", name="known_cause"),
        Index("ix_held_back_institution", "institution_id", "run_id"),
        {"schema": "redemption"},
    )

    run_id: Mapped[UUID] = mapped_column(ForeignKey("redemption.settlement_run.id"), primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    redemption_id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[str]
    cause: Mapped[str]


class SettlementRow(Base):
    """What an institution is owed for a period. Only its status and dispute change, and once in a while more.

    By a dispute that was right it gets another revision, with amounts and lines of its own.
    Its write-offs and corrections point to it, each to one at the most and for good (trigger
    `settled_once`). The amount may be below zero when little was written off and much corrected.
    """

    __tablename__ = "settlement"
    __table_args__ = (
        CheckConstraint("status IN ('draft', 'confirmed', 'paid')", name="known_status"),
        CheckConstraint("(status = 'draft') = (confirmed_at IS NULL)", name="confirmed"),
        CheckConstraint("(status = 'paid') = (paid_at IS NOT NULL)", name="paid"),
        CheckConstraint("(disputed_at IS NULL) = (dispute_note IS NULL)", name="disputed"),
        CheckConstraint("status = 'draft' OR disputed_at IS NULL", name="disputed_is_not_confirmed"),
        CheckConstraint("count >= 0 AND corrections >= 0 AND count + corrections > 0", name="not_empty"),
        UniqueConstraint("run_id", "institution_id"),
        Index("ix_settlement_campaign", "campaign_id", "created_at", "id"),
        Index("ix_settlement_institution", "institution_id", "created_at", "id"),
        {"schema": "redemption"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("redemption.settlement_run.id"))
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"))
    institution_id: Mapped[str] = mapped_column(ForeignKey("redemption.institution.id"))
    period_from: Mapped[date]
    period_to: Mapped[date]
    count: Mapped[int] = mapped_column(comment="write-offs")
    corrections: Mapped[int]
    amount_fen: Mapped[int] = mapped_column(comment="of the write-offs, less the corrections")
    split_fen: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), comment="the amount per payer, in the fund's order; a part may be below zero"
    )
    status: Mapped[str] = mapped_column(server_default=text("'draft'"))
    created_at: Mapped[datetime]
    disputed_at: Mapped[datetime | None]
    dispute_note: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None]
    paid_at: Mapped[datetime | None]
    paid_by_change: Mapped[UUID | None]
    revision: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    payee_account_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("redemption.payee_account.id"), comment="that it was paid to; none: not known to us"
    )


class SettlementLineRow(Base):
    """A line of a settlement: the write-offs, or the corrections, of one voucher type. Append-only.

    The lines of the settlement's revision hold; those of earlier ones tell what it said before.
    """

    __tablename__ = "settlement_line"
    __table_args__ = (
        CheckConstraint("kind IN ('redemption', 'correction')", name="known_kind"),
        CheckConstraint("count > 0", name="not_empty"),
        CheckConstraint("(kind = 'redemption') = (amount_fen > 0) AND amount_fen <> 0", name="sign"),
        {"schema": "redemption"},
    )

    settlement_id: Mapped[UUID] = mapped_column(ForeignKey("redemption.settlement.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False, server_default=text("1")
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    voucher_type: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    amount_fen: Mapped[int] = mapped_column(comment="below zero for corrections")
    split_fen: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
