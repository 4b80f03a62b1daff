"""SQL of rolled-up days and declared capacities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects import postgresql

from services.redemption.institutions.tables import InstitutionRow
from services.redemption.signals.rules import PAST_DAYS, Day, Figures, Trace
from services.redemption.signals.tables import CapacityRow, RiskDayRow
from shared.db import Tx
from shared.ids import HotId

# In the order of the key: of two jobs that count for one day one waits, also for its rolling up.
_MARK = text("""
    INSERT INTO redemption.risk_day AS d (campaign_id, institution_id, day, stale)
    SELECT DISTINCT r.campaign_id, r.institution_id,
           (r.redeemed_at AT TIME ZONE c.timezone)::date AS day, true
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[])) AS item (bucket, id)
    JOIN redemption.redemption r ON r.bucket = item.bucket AND r.id = item.id
    JOIN core.campaign c ON c.id = r.campaign_id
    ORDER BY r.campaign_id, r.institution_id, day
    ON CONFLICT (campaign_id, institution_id, day) DO UPDATE SET stale = true WHERE NOT d.stale
""")
_TAKE = text("""
    SELECT d.campaign_id, d.institution_id, d.day, c.timezone, k.hourly, to_jsonb(i) -> 'hours' AS opening
    FROM redemption.risk_day d
    JOIN core.campaign c ON c.id = d.campaign_id
    JOIN redemption.institution i ON i.id = d.institution_id
    LEFT JOIN redemption.institution_capacity k ON k.institution_id = d.institution_id
    WHERE d.stale AND (d.rolled_at IS NULL OR d.rolled_at <= :rested)
    ORDER BY d.day
    LIMIT 1
    FOR UPDATE OF d SKIP LOCKED
""")
# A holder's number is made of the institution too: it means nothing anywhere else.
_TRACES = text("""
    SELECT r.bucket, r.id, r.terminal_id, r.voucher_id,
           ('x' || substr(md5(r.institution_id || v.person_id::text), 1, 15))::bit(60)::bigint AS holder,
           r.bill_fen, v.amount_fen, v.issued_at, r.redeemed_at,
           extract(hour FROM r.redeemed_at AT TIME ZONE :timezone)::integer AS hour,
           r.source = 'manual' AS manual, r.state = 'redeemed' AS live
    FROM redemption.redemption r
    JOIN core.voucher v ON v.bucket = r.bucket AND v.id = r.voucher_id
    WHERE r.institution_id = :institution_id AND r.campaign_id = :campaign_id
      AND r.redeemed_at >= CAST(:first AS date)::timestamp AT TIME ZONE :timezone
      AND r.redeemed_at < CAST(:following AS date)::timestamp AT TIME ZONE :timezone
    ORDER BY r.redeemed_at, r.id
""")
_FIGURES = (
    RiskDayRow.live,
    RiskDayRow.reversed,
    RiskDayRow.redone,
    RiskDayRow.manual,
    RiskDayRow.prompt,
    RiskDayRow.billed,
    RiskDayRow.face_bills,
    RiskDayRow.same_bills,
    RiskDayRow.hours,
    RiskDayRow.holders,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A day that is rolled up again, with what its institution says of itself."""

    campaign_id: UUID
    institution_id: str
    day: date
    timezone: str
    hourly: int | None
    opening: Mapping[str, Sequence[str]] | None


async def mark(tx: Tx, redemptions: Sequence[HotId]) -> None:
    """Days that these write-offs belong to are to be rolled up again."""
    values = {"buckets": [one.bucket for one in redemptions], "ids": [one.uuid for one in redemptions]}
    await tx.execute(_MARK, values)


async def take(tx: Tx, rested: datetime) -> Subject | None:
    """A stale day that was not rolled up since `rested`, locked; None when there is none."""
    row = (await tx.execute(_TAKE, {"rested": rested})).one_or_none()
    return None if row is None else Subject(*row)


async def traces(tx: Tx, subject: Subject, first: date, last: date) -> list[Trace]:
    """The institution's write-offs of these days, both included, in the order of use."""
    values = {
        "institution_id": subject.institution_id,
        "campaign_id": subject.campaign_id,
        "timezone": subject.timezone,
        "first": first,
        "following": last + timedelta(days=1),
    }
    return [
        Trace(
            redemption=HotId(row.bucket, row.id),
            terminal_id=row.terminal_id,
            voucher=row.voucher_id,
            holder=row.holder,
            bill_fen=row.bill_fen,
            face_fen=row.amount_fen,
            issued_at=row.issued_at,
            redeemed_at=row.redeemed_at,
            hour=row.hour,
            manual=row.manual,
            live=row.live,
        )
        for row in await tx.execute(_TRACES, values)
    ]


async def save(tx: Tx, subject: Subject, figures: Figures, now: datetime) -> None:
    """The day as it was just rolled up. The caller has locked it."""
    values: dict[str, Any] = {
        column.key: getattr(figures, column.key)
        for column in _FIGURES
        if column.key not in ("hours", "holders")
    }
    await tx.execute(
        update(RiskDayRow)
        .where(
            RiskDayRow.campaign_id == subject.campaign_id,
            RiskDayRow.institution_id == subject.institution_id,
            RiskDayRow.day == subject.day,
        )
        .values(
            **values, hours=list(figures.hours), holders=list(figures.holders), stale=False, rolled_at=now
        )
    )


async def past(tx: Tx, subject: Subject) -> list[Day]:
    """The institution's days before this one, oldest first."""
    statement = (
        select(RiskDayRow.day, *_FIGURES)
        .where(
            RiskDayRow.campaign_id == subject.campaign_id,
            RiskDayRow.institution_id == subject.institution_id,
            RiskDayRow.day < subject.day,
            RiskDayRow.day >= subject.day - timedelta(days=PAST_DAYS),
        )
        .order_by(RiskDayRow.day)
    )
    return [Day(row.day, _figures(row[1:])) for row in await tx.execute(statement)]


async def of_day(tx: Tx, campaign_id: UUID, day: date) -> list[Figures]:
    """All institutions' figures of a day, as far as they are rolled up."""
    statement = select(*_FIGURES).where(RiskDayRow.campaign_id == campaign_id, RiskDayRow.day == day)
    return [_figures(row) for row in await tx.execute(statement)]


def _figures(row: Any) -> Figures:  # noqa: ANN401 - a row, or a part of one
    *counts, hours, holders = row
    live, reversed_, redone, manual, prompt, billed, face_bills, same_bills = counts
    return Figures(
        live, reversed_, redone, manual, prompt, billed, face_bills, same_bills, tuple(hours), tuple(holders)
    )


async def declare(tx: Tx, institution_id: str, hourly: int | None, *, by: UUID, now: datetime) -> None:
    values = {"institution_id": institution_id, "hourly": hourly, "declared_by": by, "declared_at": now}
    statement = postgresql.insert(CapacityRow).values(values)
    await tx.execute(statement.on_conflict_do_update(index_elements=["institution_id"], set_=values))


async def declared(tx: Tx, institution_id: str) -> int | None:
    statement = select(CapacityRow.hourly).where(CapacityRow.institution_id == institution_id)
    return (await tx.execute(statement)).scalar_one_or_none()


async def lock_institution(tx: Tx, institution_id: str) -> bool:
    """Of two declarations one waits; False for an unknown institution."""
    statement = select(InstitutionRow.id).where(InstitutionRow.id == institution_id)
    return (await tx.execute(statement.with_for_update(key_share=True))).one_or_none() is not None
