"""SQL of reconciliations."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select, text, tuple_

from services.redemption.institutions.tables import InstitutionRow
from services.redemption.reconciliation.rules import Ours
from services.redemption.reconciliation.tables import ReconciliationRow
from shared.db import Tx
from shared.ids import HotId

# The days around the period narrow it down by the index; the campaign's own days decide.
_IN_PERIOD = text("""
    SELECT r.bucket, r.id, r.request_no, r.voucher_type, r.applied_fen, r.redeemed_at, r.state
    FROM redemption.redemption r
    JOIN core.campaign c ON c.id = r.campaign_id
    WHERE r.institution_id = :institution_id AND r.state = 'redeemed'
      AND r.redeemed_at >= CAST(:first AS date)::timestamp AT TIME ZONE 'UTC' - interval '1 day'
      AND r.redeemed_at < CAST(:last AS date)::timestamp AT TIME ZONE 'UTC' + interval '2 days'
      AND (r.redeemed_at AT TIME ZONE c.timezone)::date BETWEEN :first AND :last
    ORDER BY r.redeemed_at, r.id
    LIMIT :limit
""")
_BY_NUMBER = text("""
    SELECT r.bucket, r.id, r.request_no, r.voucher_type, r.applied_fen, r.redeemed_at, r.state
    FROM redemption.terminal t
    JOIN core.request q ON q.bucket = t.bucket AND q.caller_id = t.caller_id AND q.operation = 'redemption'
                       AND q.request_no = ANY(CAST(:numbers AS text[]))
    JOIN redemption.redemption r ON r.bucket = q.result_bucket AND r.id = q.result_id
    WHERE t.institution_id = :institution_id
""")
_TYPE_NAMES = text("""
    SELECT DISTINCT v.key, v.name
    FROM redemption.membership m JOIN core.voucher_type v ON v.campaign_id = m.campaign_id
    WHERE m.institution_id = :institution_id
""")


@dataclass(frozen=True, slots=True)
class Reconciliation:
    id: UUID
    institution_id: str
    period_from: date
    period_to: date
    file_sha256: bytes
    matched: int
    only_ours: int
    only_theirs: int
    different: int
    rejected: int
    workbook_address: str
    requested_by: UUID
    at: datetime


async def institution_name(tx: Tx, institution_id: str) -> str | None:
    statement = select(InstitutionRow.name).where(InstitutionRow.id == institution_id)
    return (await tx.execute(statement)).scalar_one_or_none()


async def type_names(tx: Tx, institution_id: str) -> list[tuple[str, str]]:
    """Key and name of every voucher type of the campaigns that the institution takes part in."""
    return [(row.key, row.name) for row in await tx.execute(_TYPE_NAMES, {"institution_id": institution_id})]


async def in_period(tx: Tx, institution_id: str, first: date, last: date, *, limit: int) -> list[Ours]:
    """Live write-offs of the institution on these days, in the order of use."""
    values = {"institution_id": institution_id, "first": first, "last": last, "limit": limit}
    return [_ours(row) for row in await tx.execute(_IN_PERIOD, values)]


async def by_number(tx: Tx, institution_id: str, numbers: Sequence[str]) -> dict[str, list[Ours]]:
    """What the institution's terminals ever did under these request numbers."""
    values = {"institution_id": institution_id, "numbers": list(numbers)}
    found: defaultdict[str, list[Ours]] = defaultdict(list)
    for row in await tx.execute(_BY_NUMBER, values):
        found[row.request_no].append(_ours(row))
    return found


async def insert_reconciliation(tx: Tx, reconciliation: Reconciliation) -> None:
    await tx.execute(insert(ReconciliationRow).values(asdict(reconciliation)))


async def by_id(tx: Tx, reconciliation_id: UUID) -> Reconciliation | None:
    statement = select(*_COLUMNS).where(ReconciliationRow.id == reconciliation_id)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Reconciliation(*row)


@dataclass(frozen=True, slots=True)
class Filters:
    """None: all. `day` is one of those that were reconciled."""

    institution_id: str | None = None
    day: date | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        row = ReconciliationRow
        found = [] if self.institution_id is None else [row.institution_id == self.institution_id]
        if self.day is not None:
            found += [row.period_from <= self.day, row.period_to >= self.day]
        return found


async def page(
    tx: Tx, filters: Filters, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[tuple[Reconciliation, str]]:
    """With the institutions' names, newest first."""
    statement = select(*_COLUMNS, InstitutionRow.name).join(
        InstitutionRow, InstitutionRow.id == ReconciliationRow.institution_id
    )
    statement = statement.where(*filters.conditions())
    if after is not None:
        statement = statement.where(tuple_(ReconciliationRow.at, ReconciliationRow.id) < after)
    statement = statement.order_by(ReconciliationRow.at.desc(), ReconciliationRow.id.desc()).limit(limit)
    return [(Reconciliation(*row[:-1]), row[-1]) for row in await tx.execute(statement)]


async def count(tx: Tx, filters: Filters) -> int:
    statement = select(func.count()).select_from(ReconciliationRow).where(*filters.conditions())
    return (await tx.execute(statement)).scalar_one()


_COLUMNS = tuple(ReconciliationRow.__table__.c)


def _ours(row: Any) -> Ours:  # noqa: ANN401 - a row of either statement
    address = str(HotId(row.bucket, row.id))
    return Ours(address, row.request_no, row.voucher_type, row.applied_fen, row.redeemed_at, row.state)
