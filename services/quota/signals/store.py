"""SQL of the days of codes as the signals see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text, update

from services.quota.signals.rules import PAST_DAYS, PEERS_BEFORE, Figures
from services.quota.signals.tables import SignalDayRow
from shared.db import Tx

# As deltas are folded: what another worker holds is left to it; days are written in the order of their key.
_FOLD = text("""
    WITH taken AS (
        DELETE FROM quota.signal_mark
        WHERE id IN (SELECT id FROM quota.signal_mark LIMIT :limit FOR UPDATE SKIP LOCKED)
        RETURNING programme_id, hospital_id, code, day
    ), marked AS (
        INSERT INTO quota.signal_day AS d (programme_id, hospital_id, code, day, stale, mature)
        SELECT DISTINCT programme_id, hospital_id, code, day, true, false FROM taken
        ORDER BY programme_id, hospital_id, code, day
        ON CONFLICT (programme_id, hospital_id, code, day) DO UPDATE SET stale = true WHERE NOT d.stale
    )
    SELECT count(*) FROM taken
""")
_TAKE = text("""
    SELECT d.programme_id, d.hospital_id, d.code, d.day, p.timezone, d.day <= :mature_until AS mature
    FROM quota.signal_day d
    JOIN quota.programme p ON p.id = d.programme_id
    WHERE (d.stale AND (d.rolled_at IS NULL OR d.rolled_at <= :rested))
       OR (NOT d.mature AND d.day <= :mature_until)
    ORDER BY d.day, d.programme_id, d.hospital_id, d.code
    LIMIT 1
    FOR UPDATE OF d SKIP LOCKED
""")
# By the index of a hospital's cards, and each card's event by its key.
_CARDS = text("""
    SELECT c.bucket, c.holder_hash, c.event_id, c.opened_at, c.used, e.device_hash
    FROM quota.card c
    JOIN quota.card_event e
      ON e.bucket = c.bucket AND e.programme_id = c.programme_id AND e.holder_hash = c.holder_hash
     AND e.event_id = c.event_id
    WHERE c.programme_id = :programme AND c.hospital_id = :hospital AND c.state = 'active'
      AND c.opened_at >= CAST(:day AS date)::timestamp AT TIME ZONE :timezone
      AND c.opened_at < CAST(:following AS date)::timestamp AT TIME ZONE :timezone
      AND e.hospital_id IS NOT NULL AND quota.plain_scene(e.scene) = :code
    ORDER BY c.opened_at, c.event_id
""")
# Without those that a device repeated and machines' own.
_SCANS = text("""
    SELECT coalesce(sum(CASE measure WHEN 'scan' THEN n ELSE -n END), 0)::bigint FROM (
        SELECT measure, n FROM core.tally
        WHERE scope_id = :programme AND day = :day AND measure IN ('scan', 'scan_repeat', 'scan_bot')
          AND dim2 = :code
        UNION ALL
        SELECT measure, n FROM core.tally_delta
        WHERE scope_id = :programme AND day = :day AND measure IN ('scan', 'scan_repeat', 'scan_bot')
          AND dim2 = :code
    ) AS figure
""")


# The same for all codes of a day at once, so that each is compared with peers who had their time, too.
_RECOUNT = text("""
    UPDATE quota.signal_day d SET issued = f.issued, used = f.used
    FROM (
        SELECT s.hospital_id, s.code, count(*) AS issued, count(*) FILTER (WHERE c.used) AS used
        FROM quota.signal_day s
        JOIN quota.card c
          ON c.programme_id = s.programme_id AND c.hospital_id = s.hospital_id AND c.state = 'active'
         AND c.opened_at >= CAST(:day AS date)::timestamp AT TIME ZONE :timezone
         AND c.opened_at < CAST(:following AS date)::timestamp AT TIME ZONE :timezone
        JOIN quota.card_event e
          ON e.bucket = c.bucket AND e.programme_id = c.programme_id AND e.holder_hash = c.holder_hash
         AND e.event_id = c.event_id AND e.hospital_id IS NOT NULL AND quota.plain_scene(e.scene) = s.code
        WHERE s.programme_id = :programme AND s.day = :day
        GROUP BY s.hospital_id, s.code
    ) AS f
    WHERE d.programme_id = :programme AND d.day = :day AND d.hospital_id = f.hospital_id AND d.code = f.code
      AND (d.issued, d.used) IS DISTINCT FROM (f.issued, f.used)
""")


@dataclass(frozen=True, slots=True)
class Subject:
    """A day of a hospital's code that is rolled up again; `mature`: its cards had time to be used."""

    programme_id: UUID
    hospital_id: str
    code: str
    day: date
    timezone: str
    mature: bool


@dataclass(frozen=True, slots=True)
class DayCard:
    """A card that stands, by the event that opened it."""

    bucket: int
    holder_hash: bytes
    event_id: str
    opened_at: datetime
    used: bool
    device_hash: int | None


async def fold_marks(tx: Tx, limit: int) -> int:
    """Makes the days of up to `limit` marks stale; returns how many marks there were."""
    return int((await tx.execute(_FOLD, {"limit": limit})).scalar_one())


async def take(tx: Tx, *, rested: datetime, mature_until: date) -> Subject | None:
    """A day that is to be rolled up, locked: a stale one that rested, or one whose cards had their time."""
    row = (await tx.execute(_TAKE, {"rested": rested, "mature_until": mature_until})).one_or_none()
    return None if row is None else Subject(*row)


async def cards(tx: Tx, subject: Subject) -> list[DayCard]:
    """The cards that the code brought on the day and that stand, in the order of time."""
    values = {
        "programme": subject.programme_id,
        "hospital": subject.hospital_id,
        "code": subject.code,
        "day": subject.day,
        "following": subject.day + timedelta(days=1),
        "timezone": subject.timezone,
    }
    return [DayCard(*row) for row in await tx.execute(_CARDS, values)]


async def recount_day(tx: Tx, subject: Subject) -> None:
    """Cards and used ones of every code on the day, as they stand now."""
    values = {
        "programme": subject.programme_id,
        "day": subject.day,
        "following": subject.day + timedelta(days=1),
        "timezone": subject.timezone,
    }
    await tx.execute(_RECOUNT, values)


async def scans(tx: Tx, subject: Subject) -> int:
    values = {"programme": subject.programme_id, "code": subject.code, "day": subject.day}
    return int((await tx.execute(_SCANS, values)).scalar_one())


async def save(tx: Tx, subject: Subject, figures: Figures, now: datetime) -> None:
    """The day as it was just rolled up. The caller has locked it."""
    await tx.execute(
        update(SignalDayRow)
        .where(
            SignalDayRow.programme_id == subject.programme_id,
            SignalDayRow.hospital_id == subject.hospital_id,
            SignalDayRow.code == subject.code,
            SignalDayRow.day == subject.day,
        )
        .values(
            issued=figures.issued,
            used=figures.used,
            busiest=figures.busiest,
            scans=figures.scans,
            stale=False,
            mature=subject.mature,
            rolled_at=now,
        )
    )


async def past(tx: Tx, subject: Subject) -> list[Figures]:
    """The code's days before this one."""
    statement = select(
        SignalDayRow.issued, SignalDayRow.used, SignalDayRow.busiest, SignalDayRow.scans
    ).where(
        SignalDayRow.programme_id == subject.programme_id,
        SignalDayRow.hospital_id == subject.hospital_id,
        SignalDayRow.code == subject.code,
        SignalDayRow.day < subject.day,
        SignalDayRow.day >= subject.day - timedelta(days=PAST_DAYS),
    )
    return [Figures(*row) for row in await tx.execute(statement)]


async def same_day(tx: Tx, subject: Subject) -> Sequence[Figures]:
    """All codes' figures of the day, as far as they are rolled up."""
    statement = select(
        SignalDayRow.issued, SignalDayRow.used, SignalDayRow.busiest, SignalDayRow.scans
    ).where(
        SignalDayRow.programme_id == subject.programme_id,
        SignalDayRow.day == subject.day,
        SignalDayRow.rolled_at.is_not(None),
    )
    return [Figures(*row) for row in await tx.execute(statement)]


async def fortnight(tx: Tx, subject: Subject) -> Sequence[Figures]:
    """Cards and used ones of each hospital in the days before; those of a mature day had their time, too."""
    statement = (
        select(func.sum(SignalDayRow.issued), func.sum(SignalDayRow.used))
        .where(
            SignalDayRow.programme_id == subject.programme_id,
            SignalDayRow.day <= subject.day,
            SignalDayRow.day >= subject.day - PEERS_BEFORE,
        )
        .group_by(SignalDayRow.hospital_id)
    )
    return [Figures(int(row[0]), int(row[1])) for row in await tx.execute(statement)]
