"""SQL of settlements; the set-based function stands in functions.sql."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, func, select, text, true, tuple_, update
from sqlalchemy.dialects import postgresql

from services.redemption.corrections.tables import CorrectionRow
from services.redemption.institutions.tables import InstitutionRow, MembershipRow
from services.redemption.settlement.rules import HeldBack, Item, Line, Settlement, Status
from services.redemption.settlement.tables import (
    HeldBackRow,
    SettlementLineRow,
    SettlementRow,
    SettlementRunRow,
)
from shared.db import Tx

_SETTLE = text("""
    SELECT redemption.settle_institution(:settlement_id, :run_id, :institution_id, :received_until, :now)
""")
_ITEMS = text("""
    SELECT * FROM (
        SELECT 'redemption' AS kind, r.bucket, r.id, r.request_no, r.voucher_type, r.redeemed_at,
               r.bill_fen, r.applied_fen AS amount_fen, NULL AS reason, r.operator
        FROM redemption.settlement s
        JOIN redemption.redemption r ON r.institution_id = s.institution_id AND r.settlement_id = s.id
        WHERE s.id = :id
        UNION ALL
        SELECT 'correction', r.bucket, r.id, r.request_no, r.voucher_type, r.redeemed_at, r.bill_fen,
               -c.amount_fen, c.reason, r.operator
        FROM redemption.correction c
        JOIN redemption.redemption r ON r.bucket = c.bucket AND r.id = c.redemption_id
        WHERE c.settlement_id = :id
    ) AS item
    WHERE CAST(:after_at AS timestamptz) IS NULL
       OR (redeemed_at, id) > (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid))
    ORDER BY redeemed_at, id
    LIMIT :limit
""")

_HELD_BACK = text("""
    SELECT b.cause, count(*), sum(r.applied_fen)::bigint
    FROM redemption.held_back b
    JOIN redemption.redemption r ON r.bucket = b.bucket AND r.id = b.redemption_id
    WHERE b.run_id = :run_id AND b.institution_id = :institution_id
    GROUP BY b.cause ORDER BY b.cause
""")


@dataclass(frozen=True, slots=True)
class Run:
    id: UUID
    campaign_id: UUID
    first: date
    last: date
    requested_by: UUID | None
    hold_days: int = 0
    received_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    campaign_id: UUID | None = None
    institution_id: str | None = None
    status: Status | None = None
    first: date | None = None
    last: date | None = None
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class Sums:
    """Settlements of a campaign added up; the split is in the order of its payers."""

    campaign_id: UUID
    settlements: int
    count: int
    amount_fen: int
    split_fen: Sequence[int]


async def open_run(tx: Tx, run: Run, now: datetime) -> datetime | None:
    """Writes the run; nothing when its job was begun before. What it settles reached us until this."""
    values = {
        "id": run.id,
        "campaign_id": run.campaign_id,
        "period_from": run.first,
        "period_to": run.last,
        "requested_by": run.requested_by,
        "at": now,
        "hold_days": run.hold_days,
        "received_until": run.received_until,
    }
    await tx.execute(postgresql.insert(SettlementRunRow).values(values).on_conflict_do_nothing())
    kept = select(SettlementRunRow.received_until).where(SettlementRunRow.id == run.id)
    return (await tx.execute(kept)).scalar_one()


async def members(tx: Tx, campaign_id: UUID) -> list[str]:
    """The institutions of a campaign, in the order of their ids."""
    statement = select(MembershipRow.institution_id).where(MembershipRow.campaign_id == campaign_id)
    return list((await tx.execute(statement.order_by(MembershipRow.institution_id))).scalars())


async def settle_institution(
    tx: Tx,
    run_id: UUID,
    institution_id: str,
    *,
    settlement_id: UUID,
    received_until: datetime | None,
    now: datetime,
) -> bool:
    """Makes the institution's settlement of a run; False when there is nothing (more) to settle.

    Locks the membership, the write-offs that are due, the corrections that wait.
    """
    values = {
        "settlement_id": settlement_id,
        "run_id": run_id,
        "institution_id": institution_id,
        "received_until": received_until,
        "now": now,
    }
    return bool((await tx.execute(_SETTLE, values)).scalar_one())


async def of_run(tx: Tx, run_id: UUID) -> tuple[int, int, int, int]:
    """A run's settlements: how many, write-offs, corrections, amount in fen."""
    statement = text("""
        SELECT count(*), coalesce(sum(count), 0)::bigint, coalesce(sum(corrections), 0)::bigint,
               coalesce(sum(amount_fen), 0)::bigint
        FROM redemption.settlement WHERE run_id = :run_id
    """)
    settlements, count, corrections, amount_fen = (await tx.execute(statement, {"run_id": run_id})).one()
    return settlements, count, corrections, amount_fen


async def held_back_of(tx: Tx, settlement: Settlement) -> list[HeldBack]:
    """What its run left out of it, by cause."""
    values = {"run_id": settlement.run_id, "institution_id": settlement.institution_id}
    return [HeldBack(*row) for row in await tx.execute(_HELD_BACK, values)]


async def held_back_by(tx: Tx, run_id: UUID) -> int:
    """How many write-offs the run left to a later one."""
    statement = select(func.count()).select_from(HeldBackRow).where(HeldBackRow.run_id == run_id)
    return (await tx.execute(statement)).scalar_one()


async def amounts_by_status(tx: Tx) -> dict[tuple[UUID, str], int]:
    """Fen of all settlements, by campaign and status."""
    statement = select(
        SettlementRow.campaign_id, SettlementRow.status, func.sum(SettlementRow.amount_fen).label("fen")
    ).group_by(SettlementRow.campaign_id, SettlementRow.status)
    return {(row.campaign_id, row.status): int(row.fen) for row in await tx.execute(statement)}


async def page(
    tx: Tx, filters: Filters, *, limit: int | None, after: tuple[datetime, UUID] | None
) -> list[Settlement]:
    """Newest first."""
    statement = _settlements().where(*_fits(filters))
    if after is not None:
        statement = statement.where(tuple_(SettlementRow.created_at, SettlementRow.id) < after)
    statement = statement.order_by(SettlementRow.created_at.desc(), SettlementRow.id.desc()).limit(limit)
    return [Settlement(*row) for row in await tx.execute(statement)]


async def sums(tx: Tx, filters: Filters) -> list[Sums]:
    """Of all that fit, by campaign."""
    of_campaign = SettlementRow.campaign_id
    counted = select(
        of_campaign,
        func.count(),
        func.coalesce(func.sum(SettlementRow.count), 0).cast(BigInteger),
        func.coalesce(func.sum(SettlementRow.amount_fen), 0).cast(BigInteger),
    )
    part = func.unnest(SettlementRow.split_fen).table_valued("fen", with_ordinality="place").render_derived()
    per_payer = (
        select(of_campaign, part.c.place, func.sum(part.c.fen).cast(BigInteger).label("fen"))
        .join(part, true())
        .where(*_fits(filters))
        .group_by(of_campaign, part.c.place)
        .order_by(of_campaign, part.c.place)
    )
    splits: defaultdict[UUID, list[int]] = defaultdict(list)
    for row in await tx.execute(per_payer):
        splits[row.campaign_id].append(row.fen)
    found = await tx.execute(counted.where(*_fits(filters)).group_by(of_campaign))
    return [Sums(row[0], *row[1:], split_fen=splits[row[0]]) for row in found]


def _fits(filters: Filters) -> Iterator[ColumnElement[bool]]:
    for column, value in (
        (SettlementRow.campaign_id, filters.campaign_id),
        (SettlementRow.institution_id, filters.institution_id),
        (SettlementRow.status, filters.status),
    ):
        if value is not None:
            yield column == value
    if filters.first is not None:
        yield SettlementRow.period_to >= filters.first
    if filters.last is not None:
        yield SettlementRow.period_from <= filters.last
    if filters.disputed:
        yield SettlementRow.disputed_at.is_not(None)


async def by_id(tx: Tx, settlement_id: UUID, *, lock: bool = False) -> Settlement | None:
    """The settlement, locked until the transaction ends where asked for."""
    statement = _settlements().where(SettlementRow.id == settlement_id)
    if lock:
        # Whoever corrects one of its write-offs meanwhile need not wait for it.
        statement = statement.with_for_update(of=SettlementRow, key_share=True)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Settlement(*row)


async def lines(tx: Tx, settlement_ids: Sequence[UUID]) -> dict[UUID, list[Line]]:
    """Those of the revision that holds: write-offs before corrections, by voucher type."""
    statement = (
        _lines()
        .join(
            SettlementRow,
            (SettlementRow.id == SettlementLineRow.settlement_id)
            & (SettlementRow.revision == SettlementLineRow.revision),
        )
        .where(SettlementRow.id.in_(settlement_ids))
    )
    found: defaultdict[UUID, list[Line]] = defaultdict(list)
    for row in await tx.execute(statement):
        found[row.settlement_id].append(_line(row))
    return found


async def earlier_lines(tx: Tx, settlement: Settlement) -> list[list[Line]]:
    """What its revisions before this one said, the first one first."""
    statement = _lines().where(
        SettlementLineRow.settlement_id == settlement.id, SettlementLineRow.revision < settlement.revision
    )
    found: list[list[Line]] = [[] for _ in range(settlement.revision - 1)]
    for row in await tx.execute(statement):
        found[row.revision - 1].append(_line(row))
    return found


async def items(
    tx: Tx, settlement_id: UUID, *, limit: int | None, after: tuple[datetime, UUID] | None
) -> list[Item]:
    """Write-offs and corrections, in the order of use."""
    after_at, after_id = after or (None, None)
    values = {"id": settlement_id, "limit": limit, "after_at": after_at, "after_id": after_id}
    return [Item(*row) for row in await tx.execute(_ITEMS, values)]


async def confirm(tx: Tx, settlement_id: UUID, *, by: UUID, now: datetime) -> None:
    """Of a settlement that the caller has locked as a draft; ends a dispute."""
    await _set(
        tx,
        settlement_id,
        status="confirmed",
        confirmed_at=now,
        confirmed_by=by,
        disputed_at=None,
        dispute_note=None,
    )


async def dispute(tx: Tx, settlement_id: UUID, *, note: str | None, now: datetime | None) -> None:
    """Of a settlement that the caller has locked as a draft. None ends the dispute."""
    await _set(tx, settlement_id, disputed_at=now, dispute_note=note)


async def mark_paid(
    tx: Tx, settlement_id: UUID, *, change_id: UUID, payee_account_id: UUID | None, now: datetime
) -> bool:
    """Confirmed becomes paid, once; False when it is not (or no longer) confirmed."""
    statement = (
        update(SettlementRow)
        .where(SettlementRow.id == settlement_id, SettlementRow.status == "confirmed")
        .values(status="paid", paid_at=now, paid_by_change=change_id, payee_account_id=payee_account_id)
    )
    return (await tx.execute(statement)).rowcount == 1


async def corrects_unpaid(tx: Tx, settlement_id: UUID) -> bool:
    """Whether it takes back a write-off whose own settlement is not paid."""
    statement = (
        select(CorrectionRow.redemption_id)
        .join(SettlementRow, SettlementRow.id == CorrectionRow.original_settlement_id)
        .where(
            CorrectionRow.settlement_id == settlement_id,
            CorrectionRow.dispute_id.is_(None),
            SettlementRow.status != "paid",
        )
        .limit(1)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def _set(tx: Tx, settlement_id: UUID, **values: object) -> None:
    await tx.execute(update(SettlementRow).where(SettlementRow.id == settlement_id).values(**values))


def _lines() -> Select[*tuple[Any, ...]]:
    return select(
        SettlementLineRow.settlement_id,
        SettlementLineRow.revision,
        SettlementLineRow.kind,
        SettlementLineRow.voucher_type,
        SettlementLineRow.count,
        SettlementLineRow.amount_fen,
        SettlementLineRow.split_fen,
    ).order_by(SettlementLineRow.kind.desc(), SettlementLineRow.voucher_type)


def _line(row: Any) -> Line:  # noqa: ANN401 - a row of `_lines`
    return Line(row.kind, row.voucher_type, row.count, row.amount_fen, row.split_fen)


def _settlements() -> Select[*tuple[Any, ...]]:
    return select(
        SettlementRow.id,
        SettlementRow.campaign_id,
        SettlementRow.institution_id,
        InstitutionRow.name,
        InstitutionRow.credit_code,
        SettlementRow.period_from,
        SettlementRow.period_to,
        SettlementRow.count,
        SettlementRow.corrections,
        SettlementRow.amount_fen,
        SettlementRow.split_fen,
        SettlementRow.status,
        SettlementRow.created_at,
        SettlementRow.disputed_at,
        SettlementRow.dispute_note,
        SettlementRow.confirmed_at,
        SettlementRow.paid_at,
        SettlementRow.run_id,
        SettlementRow.revision,
        SettlementRow.payee_account_id,
    ).join(InstitutionRow, InstitutionRow.id == SettlementRow.institution_id)
