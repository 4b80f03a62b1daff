from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from shared.db.base import Base

ACCOUNTS = ("budget", "available", "committed", "payable", "paid")


class FundRow(Base):
    """A campaign's money: the payers in their order and their shares (ppm, adding up to 1,000,000)."""

    __tablename__ = "fund"
    __table_args__ = (
        CheckConstraint("cardinality(payer_keys) = cardinality(shares_ppm)", name="one_share_each"),
        CheckConstraint("cardinality(payer_keys) > 0", name="has_payers"),
        CheckConstraint("budget_fen >= 0", name="budget_not_negative"),
        {"schema": "core"},
    )

    campaign_id: Mapped[UUID] = mapped_column(primary_key=True)
    payer_keys: Mapped[list[str]] = mapped_column(ARRAY(Text))
    payer_names: Mapped[list[str]] = mapped_column(ARRAY(Text))
    shares_ppm: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    budget_fen: Mapped[int]
    version: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))


class FundVersionRow(Base):
    """A fund's budget and shares from a moment on. Append-only: a voucher keeps the version it began under.

    `put_up_fen` is what each payer has put up in all with this version.
    """

    __tablename__ = "fund_version"
    __table_args__ = (
        CheckConstraint("cardinality(put_up_fen) = cardinality(shares_ppm)", name="one_share_each"),
        {"schema": "core"},
    )

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.fund.campaign_id"), primary_key=True)
    version: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    shares_ppm: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    budget_fen: Mapped[int]
    put_up_fen: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    effective_from: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str | None]


class TransferRow(Base):
    """Money moves from one account to another, per payer: balanced by construction. Append-only.

    `budget` stands outside (what the payers put up); every other account must never be below zero.
    The transfers that name a voucher are also its history: who, when, why. `source_id` is what caused
    the move (voucher, redemption, settlement, change), and a cause moves money of one kind once.
    """

    __tablename__ = "ledger_transfer"
    __table_args__ = (
        CheckConstraint(f"debit IN {ACCOUNTS} AND credit IN {ACCOUNTS} AND debit <> credit", name="accounts"),
        {"schema": "core"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    source_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(
        primary_key=True,
        comment="fund, refund, issue, redeem, release, reverse, recommit, expire, revoke, pay, recover",
    )
    campaign_id: Mapped[UUID]
    debit: Mapped[str] = mapped_column(comment="the account that gives")
    credit: Mapped[str] = mapped_column(comment="the account that receives")
    amounts_fen: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), comment="per payer, in the fund's order"
    )
    voucher_id: Mapped[UUID | None]
    institution_id: Mapped[str | None]
    actor: Mapped[str]
    at: Mapped[datetime]
