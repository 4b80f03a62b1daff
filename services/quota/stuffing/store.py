"""SQL of cases of stuffing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, exists, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from services.quota.cards.tables import CardRow, CardVoidRow
from services.quota.hospitals.tables import HospitalRow
from services.quota.signals.rules import Signal
from services.quota.stuffing.rules import UNDECIDED, CaseStatus
from services.quota.stuffing.tables import StuffingCaseRow, StuffingItemRow
from shared.db import Tx
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Evidence:
    """A card by the event that opened it; `device` tells devices of the case apart."""

    bucket: int
    holder_hash: bytes
    event_id: str
    at: datetime
    device: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a signal found in a day of a code."""

    programme_id: UUID
    hospital_id: str
    code: str
    day: date
    kind: Signal
    score: int
    reasons: Sequence[dict[str, Any]]
    evidence: Sequence[Evidence]


@dataclass(frozen=True, slots=True)
class Case:
    """`cards` is how many are evidence, `void` how many of them are not effective now."""

    id: UUID
    programme_id: UUID
    hospital_id: str
    hospital: str
    code: str
    day: date
    kind: Signal
    score: int
    reasons: list[dict[str, Any]]
    status: CaseStatus
    opened_at: datetime
    decided_at: datetime | None
    reason: str | None
    change_id: UUID | None
    cards: int
    void: int


@dataclass(frozen=True, slots=True)
class Item:
    event_id: str
    at: datetime
    device: int | None
    used: bool
    stands: bool
    void: bool


@dataclass(frozen=True, slots=True)
class Filters:
    hospital_id: str | None = None
    status: CaseStatus | None = None
    kind: Signal | None = None


_ADD_ITEMS = text("""
    INSERT INTO quota.stuffing_item (case_id, bucket, holder_hash, event_id, programme_id, at, device)
    SELECT :case_id, u.bucket, u.holder, u.event_id, :programme, u.at, u.device
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:holders AS bytea[]), CAST(:events AS text[]),
                CAST(:ats AS timestamptz[]), CAST(:devices AS bigint[]))
         AS u (bucket, holder, event_id, at, device)
    ORDER BY u.bucket, u.holder, u.event_id
    ON CONFLICT DO NOTHING
""")
_VOID = text("""
    SELECT quota.void_cards(:programme, array_agg(bucket), array_agg(holder_hash), array_agg(event_id),
                            :void, :now)
    FROM quota.stuffing_item WHERE case_id = :case_id
    HAVING count(*) > 0
""")


async def report(tx: Tx, found: Found, now: datetime) -> None:
    """Opens the case, or renews it while nobody has decided; a decided one stays as it is."""
    fresh = {"score": found.score, "reasons": list(found.reasons)}
    statement = insert(StuffingCaseRow).values(
        id=new_id(),
        programme_id=found.programme_id,
        hospital_id=found.hospital_id,
        code=found.code,
        day=found.day,
        kind=found.kind,
        opened_at=now,
        **fresh,
    )
    written = statement.on_conflict_do_update(
        index_elements=["programme_id", "hospital_id", "code", "day", "kind"],
        set_=fresh,
        where=StuffingCaseRow.status.in_(UNDECIDED),
    ).returning(StuffingCaseRow.id)
    case_id = (await tx.execute(written)).scalar_one_or_none()
    if case_id is None:
        return
    values = {
        "case_id": case_id,
        "programme": found.programme_id,
        "buckets": [one.bucket for one in found.evidence],
        "holders": [one.holder_hash for one in found.evidence],
        "events": [one.event_id for one in found.evidence],
        "ats": [one.at for one in found.evidence],
        "devices": [one.device for one in found.evidence],
    }
    await tx.execute(_ADD_ITEMS, values)


async def page(
    tx: Tx, programme_id: UUID, filters: Filters, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[Case]:
    """Newest first."""
    statement = _cases().where(StuffingCaseRow.programme_id == programme_id)
    for column, value in _narrowed(filters):
        statement = statement.where(column == value)
    if after is not None:
        statement = statement.where(tuple_(StuffingCaseRow.opened_at, StuffingCaseRow.id) < after)
    statement = statement.order_by(StuffingCaseRow.opened_at.desc(), StuffingCaseRow.id.desc()).limit(limit)
    return [Case(*row) for row in await tx.execute(statement)]


async def count(tx: Tx, programme_id: UUID, filters: Filters) -> int:
    """How many fit."""
    statement = (
        select(func.count()).select_from(StuffingCaseRow).where(StuffingCaseRow.programme_id == programme_id)
    )
    for column, value in _narrowed(filters):
        statement = statement.where(column == value)
    return int((await tx.execute(statement)).scalar_one())


async def by_id(tx: Tx, programme_id: UUID, case_id: UUID) -> Case | None:
    statement = _cases().where(StuffingCaseRow.id == case_id, StuffingCaseRow.programme_id == programme_id)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Case(*row)


async def lock(tx: Tx, programme_id: UUID, case_id: UUID) -> Case | None:
    """The case, locked until the transaction ends: of two decisions one waits and is late."""
    statement = select(StuffingCaseRow.id).where(
        StuffingCaseRow.id == case_id, StuffingCaseRow.programme_id == programme_id
    )
    if (await tx.execute(statement.with_for_update())).one_or_none() is None:
        return None
    return await by_id(tx, programme_id, case_id)


async def items(tx: Tx, case_id: UUID, *, limit: int, after: tuple[datetime, str] | None) -> list[Item]:
    """Cards that are evidence, in the order of time, as they stand now."""
    item = StuffingItemRow
    statement = (
        select(
            item.event_id,
            item.at,
            item.device,
            func.coalesce(CardRow.used, False),
            CardRow.event_id.is_not(None),
            exists()
            .where(
                CardVoidRow.bucket == item.bucket,
                CardVoidRow.programme_id == item.programme_id,
                CardVoidRow.holder_hash == item.holder_hash,
                CardVoidRow.event_id == item.event_id,
            )
            .label("void"),
        )
        .outerjoin(CardRow, _standing(item))
        .where(item.case_id == case_id)
    )
    if after is not None:
        statement = statement.where(tuple_(item.at, item.event_id) > after)
    statement = statement.order_by(item.at, item.event_id).limit(limit)
    return [
        Item(row[0], row[1], row[2], row[3], row[4], row[5] and row[4] and not row[3])
        for row in await tx.execute(statement)
    ]


async def decide(
    tx: Tx,
    case_id: UUID,
    status: CaseStatus,
    *,
    reason: str,
    by: UUID,
    now: datetime,
    change_id: UUID | None = None,
) -> None:
    """Of a case that the caller has locked."""
    values: dict[str, Any] = {"status": status, "reason": reason, "decided_by": by, "decided_at": now}
    if change_id is not None:
        values["change_id"] = change_id
    await tx.execute(update(StuffingCaseRow).where(StuffingCaseRow.id == case_id).values(**values))


async def void(tx: Tx, case: Case, *, void: bool, now: datetime) -> None:
    """Takes its cards out of the effective figures, or puts them back, as the case now stands decided."""
    values = {"programme": case.programme_id, "case_id": case.id, "void": void, "now": now}
    await tx.execute(_VOID, values)


async def open_cases(tx: Tx, programme_id: UUID) -> int:
    """Cases that nobody has decided."""
    statement = select(func.count()).where(
        StuffingCaseRow.programme_id == programme_id, StuffingCaseRow.status.in_(UNDECIDED)
    )
    return int((await tx.execute(statement)).scalar_one())


def _standing(item: Any) -> Any:  # noqa: ANN401 - a mapped class or its alias, and a clause
    """The card of an item, while the item's event is the one that it stands by."""
    return and_(
        CardRow.bucket == item.bucket,
        CardRow.programme_id == item.programme_id,
        CardRow.holder_hash == item.holder_hash,
        CardRow.event_id == item.event_id,
        CardRow.state == "active",
    )


def _narrowed(filters: Filters) -> list[tuple[Any, str]]:
    """What is asked for, by column."""
    asked = (
        (StuffingCaseRow.hospital_id, filters.hospital_id),
        (StuffingCaseRow.status, filters.status),
        (StuffingCaseRow.kind, filters.kind),
    )
    return [(column, value) for column, value in asked if value is not None]


def _cases() -> Select[*tuple[Any, ...]]:
    item = aliased(StuffingItemRow)
    void_item = aliased(StuffingItemRow)
    cards = select(func.count()).where(item.case_id == StuffingCaseRow.id).scalar_subquery()
    void = (
        select(func.count())
        .select_from(void_item)
        .join(CardRow, _standing(void_item))
        .join(
            CardVoidRow,
            (CardVoidRow.bucket == void_item.bucket)
            & (CardVoidRow.programme_id == void_item.programme_id)
            & (CardVoidRow.holder_hash == void_item.holder_hash)
            & (CardVoidRow.event_id == void_item.event_id),
        )
        .where(void_item.case_id == StuffingCaseRow.id, CardRow.used.is_(False))
        .scalar_subquery()
    )
    return select(
        StuffingCaseRow.id,
        StuffingCaseRow.programme_id,
        StuffingCaseRow.hospital_id,
        HospitalRow.name,
        StuffingCaseRow.code,
        StuffingCaseRow.day,
        StuffingCaseRow.kind,
        StuffingCaseRow.score,
        StuffingCaseRow.reasons,
        StuffingCaseRow.status,
        StuffingCaseRow.opened_at,
        StuffingCaseRow.decided_at,
        StuffingCaseRow.reason,
        StuffingCaseRow.change_id,
        cards,
        void,
    ).join(HospitalRow, HospitalRow.id == StuffingCaseRow.hospital_id)
