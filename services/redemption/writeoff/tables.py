from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class RedemptionRow(Base):
    """A write-off, frozen when it is made but for `state`, `settlement_id` and `result_reported_at`.

    It lies in its voucher's bucket. `redeemed_at` decides validity, period and month: the time of use
    that the till told, where it told one, else the time at which it reached us.
    """

    __tablename__ = "redemption"
    __table_args__ = (
        CheckConstraint("state IN ('redeemed', 'reversed')", name="known_state"),
        CheckConstraint("source IN ('online', 'batch', 'manual')", name="known_source"),
        CheckConstraint("kind IN ('directed', 'general')", name="known_kind"),
        CheckConstraint("applied_fen > 0", name="applied_positive"),
        CheckConstraint(
            "payable_fen = CASE kind WHEN 'general' THEN bill_fen - applied_fen ELSE 0 END",
            name="payable_is_the_rest",
        ),
        CheckConstraint("payable_fen >= 0", name="payable_not_negative"),
        CheckConstraint("state = 'redeemed' OR settlement_id IS NULL", name="settled_is_not_reversed"),
        # The last guard of "used once": of all write-offs of a voucher at most one is live.
        Index(
            "uq_redemption_live_voucher",
            "bucket",
            "voucher_id",
            unique=True,
            postgresql_where=text("state = 'redeemed'"),
        ),
        Index("ix_redemption_institution_day", "institution_id", "redeemed_at"),
        {"schema": "redemption", "postgresql_with": {"fillfactor": "90"}},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    voucher_id: Mapped[UUID]
    institution_id: Mapped[str]
    terminal_id: Mapped[str]
    campaign_id: Mapped[UUID]
    voucher_type: Mapped[str]
    kind: Mapped[str]
    request_no: Mapped[str]
    bill_fen: Mapped[int | None]
    applied_fen: Mapped[int]
    payable_fen: Mapped[int]
    split_fen: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), comment="applied amount per payer, in the fund's order"
    )
    used_at: Mapped[datetime | None] = mapped_column(comment="the time of use as the till told it")
    redeemed_at: Mapped[datetime]
    received_at: Mapped[datetime]
    source: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'redeemed'"))
    settlement_id: Mapped[UUID | None]
    operator: Mapped[str | None] = mapped_column(comment="who worked the terminal, by code, as it told")
    result_reported_at: Mapped[datetime | None] = mapped_column(
        comment="its service result is with us: from then on no till undoes it"
    )
