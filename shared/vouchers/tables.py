"""The voucher aggregate: catalogue (campaigns, types) and vouchers. Written by this package only."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class CampaignRow(Base):
    """A campaign as all services see it; its phases, odds and quiz belong to issuance."""

    __tablename__ = "campaign"
    __table_args__ = (
        CheckConstraint("status IN ('published', 'paused', 'ended')", name="known_status"),
        CheckConstraint(
            "offline_count_per_day > 0 AND offline_fen_per_day > 0", name="offline_limits_positive"
        ),
        CheckConstraint("settlement_hold_days BETWEEN 0 AND 365", name="settlement_hold_range"),
        {"schema": "core"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    timezone: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'published'"))
    created_at: Mapped[datetime]
    institution_approval: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="two people let an institution accept a type"
    )
    manual_write_off: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="tills may write off by id number, for people without a phone"
    )
    offline_count_per_day: Mapped[int | None] = mapped_column(
        comment="live write-offs of a terminal's uploads that were used on one day"
    )
    offline_fen_per_day: Mapped[int | None] = mapped_column(comment="their applied amounts together")
    settlement_hold_days: Mapped[int | None] = mapped_column(
        SmallInteger, comment="younger write-offs wait for the next settlement; none: as the platform is set"
    )


class VoucherTypeRow(Base):
    """What a voucher of this type is worth: a face value (general) or a service at a price (directed)."""

    __tablename__ = "voucher_type"
    __table_args__ = (
        CheckConstraint("kind IN ('directed', 'general')", name="known_kind"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("validity_days > 0", name="validity_positive"),
        CheckConstraint("total_cap > 0", name="total_cap_positive"),
        CheckConstraint("reversal IN ('terminal', 'staff', 'never')", name="known_reversal"),
        CheckConstraint("reversal_window_hours > 0", name="reversal_window_positive"),
        {"schema": "core"},
    )

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, comment="order in which people see the types")
    kind: Mapped[str]
    name: Mapped[str]
    covers: Mapped[str | None]
    amount_fen: Mapped[int] = mapped_column(comment="face value (general) or settlement price (directed)")
    validity_days: Mapped[int]
    total_cap: Mapped[int | None] = mapped_column(comment="pieces that all phases together may put in")
    reports_result_to_health_code: Mapped[bool]
    reversal: Mapped[str] = mapped_column(
        server_default=text("'terminal'"), comment="who may undo a write-off of it"
    )
    reversal_window_hours: Mapped[int | None] = mapped_column(
        comment="so long after a write-off reached us a terminal may undo it; none: until it is settled"
    )


class VoucherRow(Base):
    """A voucher. Its code is stored as a keyed hash and a sealed copy only.

    `amount_fen` is what issuing committed, split over the payers in `split_fen`. No index stands on a
    column that changes, so that a write-off is a heap-only update.
    """

    __tablename__ = "voucher"
    __table_args__ = (
        UniqueConstraint("bucket", "code_hash"),
        UniqueConstraint("bucket", "source_id"),
        CheckConstraint("state IN ('issued', 'redeemed', 'expired', 'revoked')", name="known_state"),
        CheckConstraint("(state = 'redeemed') = (redeemed_at IS NOT NULL)", name="redeemed_at"),
        CheckConstraint("amount_fen > 0 AND valid_until > valid_from", name="worth_something"),
        Index("ix_voucher_person", "bucket", "person_id"),
        Index("ix_voucher_valid_until", "valid_until"),
        Index("ix_voucher_campaign", "campaign_id", "issued_at"),
        {"schema": "core", "postgresql_with": {"fillfactor": "85"}},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    phase_seq: Mapped[int] = mapped_column(SmallInteger)
    voucher_type: Mapped[str]
    kind: Mapped[str]
    amount_fen: Mapped[int]
    split_fen: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    fund_version: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("1"), comment="the shares it is split by, for good"
    )
    person_id: Mapped[UUID]
    source_id: Mapped[UUID] = mapped_column(comment="the award it was claimed from: one voucher each")
    code_hash: Mapped[bytes] = mapped_column(comment="first 16 bytes of the keyed hash of the code")
    code_sealed: Mapped[bytes | None] = mapped_column(comment="NULL: its holder was forgotten")
    state: Mapped[str] = mapped_column(server_default=text("'issued'"))
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    issued_at: Mapped[datetime]
    redeemed_at: Mapped[datetime | None]
    institution_id: Mapped[str | None]
