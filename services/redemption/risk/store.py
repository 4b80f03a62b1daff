"""SQL of cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from services.redemption.holds.tables import SettlementHoldRow
from services.redemption.institutions.tables import InstitutionRow
from services.redemption.risk.rules import CaseKind, Decision, Filters, Shown
from services.redemption.risk.tables import CaseItemRow, CaseRow
from services.redemption.terminals.tables import TerminalRow
from services.redemption.writeoff.tables import RedemptionRow
from shared.db import Tx
from shared.ids import HotId, new_id
from shared.vouchers.tables import CampaignRow

_ADD_ITEMS = text("""
    INSERT INTO redemption.risk_case_item (case_id, bucket, redemption_id, at)
    SELECT :case_id, item.bucket, item.id, :now
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[])) AS item (bucket, id)
    ORDER BY item.bucket, item.id
    ON CONFLICT DO NOTHING
""")
_SET_HOLDS = text("""
    UPDATE redemption.risk_case_item i SET hold_id = item.hold_id
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[]), CAST(:hold_ids AS uuid[]))
        AS item (bucket, id, hold_id)
    WHERE i.case_id = :case_id AND i.bucket = item.bucket AND i.redemption_id = item.id
""")


@dataclass(frozen=True, slots=True)
class Case:
    kind: str
    reference: str
    campaign_id: UUID
    institution_id: str
    terminal_id: str
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """What a signal found in a window; `write_offs` is all of its evidence so far."""

    kind: CaseKind
    reference: str
    campaign_id: UUID
    institution_id: str
    terminal_id: str | None
    score: int
    suggested: Decision
    first: date
    last: date
    evidence: dict[str, Any]
    write_offs: Sequence[HotId]


@dataclass(frozen=True, slots=True)
class Item:
    """A write-off that is evidence, as it is now."""

    bucket: int
    id: UUID
    terminal_id: str
    voucher_type: str
    redeemed_at: datetime
    bill_fen: int | None
    applied_fen: int
    source: str
    state: str
    settled: bool
    held: bool
    terminal: str


async def open_cases(tx: Tx, cases: Sequence[Case], now: datetime) -> None:
    """Opens a case for each; what was reported before (same kind and reference) keeps its first one."""
    values = [
        {
            "id": new_id(),
            "kind": case.kind,
            "reference": case.reference,
            "campaign_id": case.campaign_id,
            "institution_id": case.institution_id,
            "terminal_id": case.terminal_id,
            "evidence": case.evidence,
            "opened_at": now,
        }
        for case in cases
    ]
    await tx.execute(insert(CaseRow).on_conflict_do_nothing(), values)


async def report(tx: Tx, found: Found, now: datetime) -> None:
    """Opens a signal's case, or adds to it while it is open; one that was decided stays as it is."""
    fresh = {
        "terminal_id": found.terminal_id,
        "evidence": found.evidence,
        "score": found.score,
        "suggested": found.suggested,
        "first_day": found.first,
        "last_day": found.last,
    }
    statement = insert(CaseRow).values(
        id=new_id(),
        kind=found.kind,
        reference=found.reference,
        campaign_id=found.campaign_id,
        institution_id=found.institution_id,
        opened_at=now,
        **fresh,
    )
    written = statement.on_conflict_do_update(
        index_elements=["kind", "reference"],
        set_={
            **fresh,
            "first_day": func.least(CaseRow.first_day, found.first),
            "last_day": func.greatest(CaseRow.last_day, found.last),
        },
        where=CaseRow.status == "open",
    ).returning(CaseRow.id)
    case_id = (await tx.execute(written)).scalar_one_or_none()
    if case_id is not None:
        values = {"case_id": case_id, "now": now, **_addresses(found.write_offs)}
        await tx.execute(_ADD_ITEMS, values)


async def page(tx: Tx, filters: Filters, *, limit: int, after: tuple[datetime, UUID] | None) -> list[Shown]:
    """Newest first."""
    statement = _cases().where(*_fits(filters))
    if after is not None:
        statement = statement.where(tuple_(CaseRow.opened_at, CaseRow.id) < after)
    statement = statement.order_by(CaseRow.opened_at.desc(), CaseRow.id.desc()).limit(limit)
    return [Shown(*row) for row in await tx.execute(statement)]


async def count(tx: Tx, filters: Filters) -> int:
    statement = select(func.count()).select_from(CaseRow).where(*_fits(filters))
    return (await tx.execute(statement)).scalar_one()


def _fits(filters: Filters) -> list[ColumnElement[bool]]:
    wanted = (
        (CaseRow.campaign_id, filters.campaign_id),
        (CaseRow.institution_id, filters.institution_id),
        (CaseRow.status, filters.status),
        (CaseRow.kind, filters.kind),
        (CaseRow.decision, filters.decision),
    )
    return [column == value for column, value in wanted if value is not None]


async def by_id(tx: Tx, case_id: UUID) -> Shown | None:
    row = (await tx.execute(_cases().where(CaseRow.id == case_id))).one_or_none()
    return None if row is None else Shown(*row)


async def lock(tx: Tx, case_id: UUID) -> Shown | None:
    """The case, locked until the transaction ends: of two decisions one waits and is late."""
    statement = select(CaseRow.id).where(CaseRow.id == case_id).with_for_update()
    if (await tx.execute(statement)).one_or_none() is None:
        return None
    return await by_id(tx, case_id)


async def items(tx: Tx, case_id: UUID, *, limit: int, after: tuple[datetime, UUID] | None) -> list[Item]:
    """Write-offs that are evidence, in the order of use."""
    row = RedemptionRow
    statement = (
        select(
            row.bucket,
            row.id,
            row.terminal_id,
            row.voucher_type,
            row.redeemed_at,
            row.bill_fen,
            row.applied_fen,
            row.source,
            row.state,
            row.settlement_id.is_not(None),
            (SettlementHoldRow.id.is_not(None)) & SettlementHoldRow.released_at.is_(None),
            TerminalRow.label,
        )
        .select_from(CaseItemRow)
        .join(row, (row.bucket == CaseItemRow.bucket) & (row.id == CaseItemRow.redemption_id))
        .join(TerminalRow, TerminalRow.id == row.terminal_id)
        .outerjoin(SettlementHoldRow, SettlementHoldRow.id == CaseItemRow.hold_id)
        .where(CaseItemRow.case_id == case_id)
    )
    if after is not None:
        statement = statement.where(tuple_(row.redeemed_at, row.id) > after)
    statement = statement.order_by(row.redeemed_at, row.id).limit(limit)
    return [_evidence(found) for found in await tx.execute(statement)]


def _evidence(row: Any) -> Item:  # noqa: ANN401 - a row of `items`
    return Item(*row)


async def evidence(tx: Tx, case_id: UUID) -> list[HotId]:
    """All write-offs that are evidence, in the order of their key."""
    row = CaseItemRow
    statement = select(row.bucket, row.redemption_id).where(row.case_id == case_id)
    return [HotId(*found) for found in await tx.execute(statement.order_by(row.bucket, row.redemption_id))]


async def set_holds(tx: Tx, case_id: UUID, holds: Mapping[HotId, UUID]) -> None:
    """Remembers which hold was placed for which of the case's write-offs."""
    values = {"case_id": case_id, "hold_ids": list(holds.values()), **_addresses(list(holds))}
    await tx.execute(_SET_HOLDS, values)


async def holds_of(tx: Tx, case_id: UUID) -> list[UUID]:
    statement = select(CaseItemRow.hold_id).where(
        CaseItemRow.case_id == case_id, CaseItemRow.hold_id.is_not(None)
    )
    return [hold_id for hold_id in (await tx.execute(statement)).scalars() if hold_id is not None]


async def decide(tx: Tx, case_id: UUID, *, decision: Decision, note: str, by: UUID, now: datetime) -> None:
    """Of a case that the caller has locked open."""
    await tx.execute(
        update(CaseRow)
        .where(CaseRow.id == case_id, CaseRow.status == "open")
        .values(status="decided", decision=decision, note=note, decided_by=by, decided_at=now)
    )


async def reopen(tx: Tx, case_id: UUID) -> None:
    """Of a case that the caller has locked decided; what it decided stands in its actions."""
    await tx.execute(
        update(CaseRow)
        .where(CaseRow.id == case_id, CaseRow.status == "decided")
        .values(status="open", decision=None, note=None, decided_by=None, decided_at=None)
    )


async def count_open(tx: Tx, campaigns: Sequence[UUID], institution_id: str | None) -> int:
    """Open cases of these campaigns, of one institution where it is named."""
    statement = select(func.count()).where(CaseRow.campaign_id.in_(campaigns), CaseRow.status == "open")
    if institution_id is not None:
        statement = statement.where(CaseRow.institution_id == institution_id)
    return (await tx.execute(statement)).scalar_one()


async def open_by_kind(tx: Tx) -> dict[tuple[UUID, str], int]:
    """Open cases by campaign and kind."""
    statement = (
        select(CaseRow.campaign_id, CaseRow.kind, func.count().label("n"))
        .where(CaseRow.status == "open")
        .group_by(CaseRow.campaign_id, CaseRow.kind)
    )
    return {(row.campaign_id, row.kind): row.n for row in await tx.execute(statement)}


def _addresses(write_offs: Sequence[HotId]) -> dict[str, list[Any]]:
    return {"buckets": [one.bucket for one in write_offs], "ids": [one.uuid for one in write_offs]}


def _cases() -> Select[*tuple[Any, ...]]:
    items_of_case = select(func.count()).where(CaseItemRow.case_id == CaseRow.id).scalar_subquery()
    return (
        select(
            CaseRow.id,
            CaseRow.kind,
            CaseRow.status,
            CampaignRow.slug,
            CaseRow.institution_id,
            InstitutionRow.name,
            CaseRow.terminal_id,
            CaseRow.score,
            CaseRow.suggested,
            CaseRow.first_day,
            CaseRow.last_day,
            CaseRow.evidence,
            CaseRow.opened_at,
            CaseRow.decided_at,
            CaseRow.decided_by,
            CaseRow.decision,
            CaseRow.note,
            items_of_case,
            TerminalRow.label,
        )
        .outerjoin(TerminalRow, TerminalRow.id == CaseRow.terminal_id)
        .join(CampaignRow, CampaignRow.id == CaseRow.campaign_id)
        .join(InstitutionRow, InstitutionRow.id == CaseRow.institution_id)
    )
