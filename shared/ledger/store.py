"""SQL of the fund. Moves that follow a voucher are written by the functions of shared/vouchers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert, select, update

from shared.db import Tx
from shared.ledger.rules import WAYS
from shared.ledger.tables import FundRow, FundVersionRow, TransferRow
from shared.metrics import store as metrics

# Moves that belong to a campaign and to no person lie together in the first bucket.
_CAMPAIGN_BUCKET = 0
_ACCOUNTS = ("available", "committed", "payable", "paid")
_AVAILABLE = {
    kind: (credit == "available") - (debit == "available")
    for kind, (debit, credit) in WAYS.items()
    if "available" in (debit, credit)
}
# What is released may be committed again by a reversal.
_RELEASED = {"release": 1, "recommit": -1}


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
    version: int = 1

    @property
    def shares_ppm(self) -> list[int]:
        return [payer.share_ppm for payer in self.payers]


@dataclass(frozen=True, slots=True)
class Cause:
    """What makes a version of a fund, and when: `day` is that of the campaign's time zone."""

    source_id: UUID
    actor: str
    reason: str | None
    now: datetime
    day: date


@dataclass(frozen=True, slots=True)
class FundVersion:
    """A fund's budget and shares from a moment on, and what each payer has put up in all."""

    version: int
    shares_ppm: list[int]
    budget_fen: int
    put_up_fen: list[int]
    effective_from: datetime
    actor: str
    reason: str | None


async def insert_fund(tx: Tx, campaign_id: UUID, fund: Fund) -> None:
    await tx.execute(
        insert(FundRow).values(
            campaign_id=campaign_id,
            payer_keys=[payer.key for payer in fund.payers],
            payer_names=[payer.name for payer in fund.payers],
            shares_ppm=fund.shares_ppm,
            budget_fen=fund.budget_fen,
            version=fund.version,
        )
    )


async def update_fund(tx: Tx, campaign_id: UUID, fund: Fund) -> None:
    """The fund as it is from now on; the caller has locked it."""
    await tx.execute(
        update(FundRow)
        .where(FundRow.campaign_id == campaign_id)
        .values(shares_ppm=fund.shares_ppm, budget_fen=fund.budget_fen, version=fund.version)
    )


async def insert_version(
    tx: Tx, campaign_id: UUID, fund: Fund, put_up_fen: Sequence[int], cause: Cause
) -> None:
    await tx.execute(
        insert(FundVersionRow).values(
            campaign_id=campaign_id,
            version=fund.version,
            shares_ppm=fund.shares_ppm,
            budget_fen=fund.budget_fen,
            put_up_fen=list(put_up_fen),
            effective_from=cause.now,
            actor=cause.actor,
            reason=cause.reason,
        )
    )


async def move(
    tx: Tx,
    campaign_id: UUID,
    kind: str,
    amounts_fen: Sequence[int],
    cause: Cause,
    *,
    institution_id: str | None = None,
) -> None:
    """A transfer that no voucher causes, with its figure; nothing when it is 0."""
    if not any(amounts_fen):
        return
    debit, credit = WAYS[kind]
    await tx.execute(
        insert(TransferRow).values(
            bucket=_CAMPAIGN_BUCKET,
            source_id=cause.source_id,
            kind=kind,
            campaign_id=campaign_id,
            debit=debit,
            credit=credit,
            amounts_fen=list(amounts_fen),
            institution_id=institution_id,
            actor=cause.actor,
            at=cause.now,
        )
    )
    await metrics.add(
        tx, campaign_id, cause.day, kind, dim2=institution_id or "", amounts_fen=list(amounts_fen)
    )


async def fund_of(tx: Tx, campaign_id: UUID) -> Fund:
    """The fund of a campaign that exists."""
    return await _read(tx, campaign_id, lock=False)


async def lock_fund(tx: Tx, campaign_id: UUID) -> Fund:
    """The fund, locked: of two changes that commit its money one waits for the other. Issuing does not."""
    return await _read(tx, campaign_id, lock=True)


async def balances(tx: Tx, campaign_id: UUID, payers: int) -> tuple[list[int], list[int]]:
    """What is available of each payer, and how much of it was released by write-offs that may be undone."""
    available, released = [0] * payers, [0] * payers
    for figure in await metrics.figures(tx, [campaign_id], list(_AVAILABLE)):
        for payer, fen in enumerate(figure.amounts_fen or ()):
            available[payer] += _AVAILABLE[figure.measure] * fen
            released[payer] += _RELEASED.get(figure.measure, 0) * fen
    return available, released


async def accounts(tx: Tx, campaign_id: UUID, payers: int) -> dict[str, list[int]]:
    """What each payer has in each of the four accounts, in fen."""
    held = {account: [0] * payers for account in _ACCOUNTS}
    for figure in await metrics.figures(tx, [campaign_id], list(WAYS)):
        debit, credit = WAYS[figure.measure]
        for account, sign in ((debit, -1), (credit, 1)):
            for payer, fen in enumerate(figure.amounts_fen or ()):
                if account in held:
                    held[account][payer] += sign * fen
    return held


async def versions(tx: Tx, campaign_id: UUID) -> list[FundVersion]:
    """All versions of a fund, the first one first."""
    statement = (
        select(
            FundVersionRow.version,
            FundVersionRow.shares_ppm,
            FundVersionRow.budget_fen,
            FundVersionRow.put_up_fen,
            FundVersionRow.effective_from,
            FundVersionRow.actor,
            FundVersionRow.reason,
        )
        .where(FundVersionRow.campaign_id == campaign_id)
        .order_by(FundVersionRow.version)
    )
    return [FundVersion(*row) for row in (await tx.execute(statement))]


async def _read(tx: Tx, campaign_id: UUID, *, lock: bool) -> Fund:
    statement = select(
        FundRow.payer_keys, FundRow.payer_names, FundRow.shares_ppm, FundRow.budget_fen, FundRow.version
    ).where(FundRow.campaign_id == campaign_id)
    if lock:
        statement = statement.with_for_update(key_share=True)
    row = (await tx.execute(statement)).one()
    payers = zip(row.payer_keys, row.payer_names, row.shares_ppm, strict=True)
    return Fund(
        payers=tuple(Payer(*payer) for payer in payers), budget_fen=row.budget_fen, version=row.version
    )
