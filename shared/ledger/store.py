"""SQL of the fund. Moves that follow a voucher are written by the functions of shared/vouchers."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert, select

from shared.db import Tx
from shared.ledger.tables import FundRow, TransferRow
from shared.metrics import store as metrics
from shared.money import split_fen

# Moves that belong to a campaign and to no person lie together in the first bucket.
_CAMPAIGN_BUCKET = 0


@dataclass(frozen=True, slots=True)
class Payer:
    """`share_ppm` is its part of every amount, in parts per million."""

    key: str
    name: str
    share_ppm: int


@dataclass(frozen=True, slots=True)
class Fund:
    """The payers in the order in which every `amounts_fen` and `split_fen` lists them."""

    payers: tuple[Payer, ...]
    budget_fen: int


async def open_fund(tx: Tx, campaign_id: UUID, fund: Fund, *, actor: str, now: datetime, day: date) -> None:
    """Writes the fund and its opening transfer: what the payers put up becomes available."""
    shares = [payer.share_ppm for payer in fund.payers]
    amounts = split_fen(fund.budget_fen, shares)
    await tx.execute(
        insert(FundRow).values(
            campaign_id=campaign_id,
            payer_keys=[payer.key for payer in fund.payers],
            payer_names=[payer.name for payer in fund.payers],
            shares_ppm=shares,
            budget_fen=fund.budget_fen,
        )
    )
    await tx.execute(
        insert(TransferRow).values(
            bucket=_CAMPAIGN_BUCKET,
            source_id=campaign_id,
            kind="fund",
            campaign_id=campaign_id,
            debit="budget",
            credit="available",
            amounts_fen=amounts,
            actor=actor,
            at=now,
        )
    )
    await metrics.add(tx, campaign_id, day, "fund", amounts_fen=amounts)


async def fund_of(tx: Tx, campaign_id: UUID) -> Fund:
    """The fund of a campaign that exists."""
    return await _read(tx, campaign_id, lock=False)


async def lock_fund(tx: Tx, campaign_id: UUID) -> Fund:
    """The fund, locked: of two changes that commit its money one waits for the other. Issuing does not."""
    return await _read(tx, campaign_id, lock=True)


async def _read(tx: Tx, campaign_id: UUID, *, lock: bool) -> Fund:
    statement = select(FundRow.payer_keys, FundRow.payer_names, FundRow.shares_ppm, FundRow.budget_fen).where(
        FundRow.campaign_id == campaign_id
    )
    if lock:
        statement = statement.with_for_update(key_share=True)
    row = (await tx.execute(statement)).one()
    payers = zip(row.payer_keys, row.payer_names, row.shares_ppm, strict=True)
    return Fund(payers=tuple(Payer(*payer) for payer in payers), budget_fen=row.budget_fen)
