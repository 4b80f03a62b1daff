"""SQL of rolled-up days, and of what they are rolled up from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update

from services.redemption.riskdays.rules import PAST_DAYS, Day, Figures, Origin, Trace
from services.redemption.riskdays.tables import RiskDayRow
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
_SUBJECT = """
    SELECT d.campaign_id, d.institution_id, d.day, c.timezone, k.hourly, to_jsonb(i) -> 'hours' AS opening,
           EXISTS (SELECT FROM core.voucher_origin o WHERE o.campaign_id = d.campaign_id) AS noted
    FROM redemption.risk_day d
    JOIN core.campaign c ON c.id = d.campaign_id
    JOIN redemption.institution i ON i.id = d.institution_id
    LEFT JOIN redemption.institution_capacity k ON k.institution_id = d.institution_id
"""
_TAKE = text(f"""
    {_SUBJECT}
    WHERE d.stale AND d.deferred_at IS NULL AND (d.rolled_at IS NULL OR d.rolled_at <= :rested)
    ORDER BY d.day
    LIMIT 1
    FOR UPDATE OF d SKIP LOCKED
""")
_TAKE_DEFERRED = text(f"""
    {_SUBJECT}
    WHERE d.campaign_id = :campaign_id AND d.institution_id = :institution_id AND d.day = :day
      AND d.deferred_at IS NOT NULL
    FOR UPDATE OF d
""")
# Numbers of holders, devices and places are made of the institution too: they mean nothing anywhere else.
_TRACES = text("""
    SELECT r.bucket, r.id, r.terminal_id, r.voucher_id,
           redemption.number_within(r.institution_id, v.person_id::text) AS holder,
           r.bill_fen, v.amount_fen, v.issued_at, r.redeemed_at,
           extract(hour FROM r.redeemed_at AT TIME ZONE :timezone)::integer AS hour,
           r.source = 'manual' AS manual, r.state = 'redeemed' AS live,
           redemption.number_within(r.institution_id, encode(o.device_hash, 'hex')) AS device,
           redemption.number_within(r.institution_id, encode(o.address_hash, 'hex')) AS place
    FROM redemption.redemption r
    JOIN core.voucher v ON v.bucket = r.bucket AND v.id = r.voucher_id
    LEFT JOIN core.voucher_origin o ON o.bucket = v.bucket AND o.source_id = v.source_id
    WHERE r.institution_id = :institution_id AND r.campaign_id = :campaign_id
      AND r.redeemed_at >= CAST(:first AS date)::timestamp AT TIME ZONE :timezone
      AND r.redeemed_at < CAST(:following AS date)::timestamp AT TIME ZONE :timezone
    ORDER BY r.redeemed_at, r.id
""")
# Where vouchers that were used here had been claimed, if a few holders share it; the last number is how many
# of the vouchers claimed there were used anywhere. By twice as many as here it is no secret of this place, so
# they are counted no further: thousands share the address of a carrier.
_ORIGINS = text("""
    WITH here AS MATERIALIZED (
        SELECT o.device_hash, o.address_hash, v.person_id,
               (r.redeemed_at AT TIME ZONE :timezone)::date AS day
        FROM redemption.redemption r
        JOIN core.voucher v ON v.bucket = r.bucket AND v.id = r.voucher_id
        JOIN core.voucher_origin o ON o.bucket = v.bucket AND o.source_id = v.source_id
        WHERE r.institution_id = :institution_id AND r.campaign_id = :campaign_id AND r.state = 'redeemed'
          AND r.redeemed_at >= CAST(:first AS date)::timestamp AT TIME ZONE :timezone
          AND r.redeemed_at < CAST(:following AS date)::timestamp AT TIME ZONE :timezone
    )
    SELECT 'device' AS kind, redemption.number_within(:institution_id, encode(s.key_hash, 'hex')),
           s.holders, s.n, greatest(s.n, used.n), s.last
    FROM (
        SELECT device_hash AS key_hash, count(DISTINCT person_id) AS holders, count(*) AS n, max(day) AS last
        FROM here WHERE device_hash IS NOT NULL
        GROUP BY device_hash HAVING count(DISTINCT person_id) >= :few
    ) AS s
    CROSS JOIN LATERAL (
        SELECT count(*) AS n FROM (
            SELECT FROM core.voucher_origin o
            JOIN core.voucher v ON v.bucket = o.bucket AND v.source_id = o.source_id AND v.state = 'redeemed'
            WHERE o.campaign_id = :campaign_id AND o.device_hash = s.key_hash
            LIMIT 2 * s.n + 1) AS counted
    ) AS used
    UNION ALL
    SELECT 'address' AS kind, redemption.number_within(:institution_id, encode(s.key_hash, 'hex')),
           s.holders, s.n, greatest(s.n, used.n), s.last
    FROM (
        SELECT address_hash AS key_hash, count(DISTINCT person_id) AS holders, count(*) AS n, max(day) AS last
        FROM here WHERE address_hash IS NOT NULL
        GROUP BY address_hash HAVING count(DISTINCT person_id) >= :few
    ) AS s
    CROSS JOIN LATERAL (
        SELECT count(*) AS n FROM (
            SELECT FROM core.voucher_origin o
            JOIN core.voucher v ON v.bucket = o.bucket AND v.source_id = o.source_id AND v.state = 'redeemed'
            WHERE o.campaign_id = :campaign_id AND o.address_hash = s.key_hash
            LIMIT 2 * s.n + 1) AS counted
    ) AS used
    ORDER BY 1, 2
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
    """A day that is rolled up again, with what its institution says of itself.

    `noted`: it is known where some of the campaign's vouchers were claimed.
    """

    campaign_id: UUID
    institution_id: str
    day: date
    timezone: str
    hourly: int | None
    opening: Mapping[str, Sequence[str]] | None
    noted: bool


async def mark(tx: Tx, redemptions: Sequence[HotId]) -> None:
    """Days that these write-offs belong to are to be rolled up again."""
    values = {"buckets": [one.bucket for one in redemptions], "ids": [one.uuid for one in redemptions]}
    await tx.execute(_MARK, values)


async def take(tx: Tx, rested: datetime) -> Subject | None:
    """A stale day that was not rolled up since `rested`, locked; None when there is none."""
    row = (await tx.execute(_TAKE, {"rested": rested})).one_or_none()
    return None if row is None else Subject(*row)


async def take_deferred(tx: Tx, campaign_id: UUID, institution_id: str, day: date) -> Subject | None:
    """A day that failed before, locked; None when somebody did it meanwhile."""
    values = {"campaign_id": campaign_id, "institution_id": institution_id, "day": day}
    row = (await tx.execute(_TAKE_DEFERRED, values)).one_or_none()
    return None if row is None else Subject(*row)


async def defer(tx: Tx, subject: Subject, now: datetime) -> bool:
    """Scans leave the day alone from now on; False when it was deferred, or done, before."""
    statement = (
        update(RiskDayRow)
        .where(*_is(subject), RiskDayRow.stale, RiskDayRow.deferred_at.is_(None))
        .values(deferred_at=now)
    )
    return (await tx.execute(statement)).rowcount == 1


async def deferred_by_campaign(tx: Tx) -> dict[UUID, int]:
    """Days that could not be judged and wait for another try; campaigns without any are left out."""
    statement = (
        select(RiskDayRow.campaign_id, func.count())
        .where(RiskDayRow.deferred_at.is_not(None))
        .group_by(RiskDayRow.campaign_id)
    )
    return {row[0]: row[1] for row in await tx.execute(statement)}


async def origins(tx: Tx, subject: Subject, first: date, *, few: int) -> list[Origin]:
    """Devices and addresses that at least `few` holders who came in these days have in common.

    From `first` to the subject's day. Empty where the campaign does not note where vouchers are claimed.
    """
    values = {
        "institution_id": subject.institution_id,
        "campaign_id": subject.campaign_id,
        "timezone": subject.timezone,
        "first": first,
        "following": subject.day + timedelta(days=1),
        "few": few,
    }
    return [Origin(*row) for row in await tx.execute(_ORIGINS, values)]


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
            device=row.device,
            place=row.place,
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
        .where(*_is(subject))
        .values(
            **values,
            hours=list(figures.hours),
            holders=list(figures.holders),
            stale=False,
            rolled_at=now,
            deferred_at=None,
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


def _is(subject: Subject) -> tuple[Any, Any, Any]:
    return (
        RiskDayRow.campaign_id == subject.campaign_id,
        RiskDayRow.institution_id == subject.institution_id,
        RiskDayRow.day == subject.day,
    )
