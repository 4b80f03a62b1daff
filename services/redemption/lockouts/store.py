"""SQL of wrong codes and of the locks that follow them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from services.redemption.lockouts.tables import LockoutRow
from shared.db import Tx
from shared.ids import new_id

_COUNT = text("""
    INSERT INTO redemption.wrong_codes AS w (terminal_id, total, misses, window_started_at)
    VALUES (:terminal_id, :misses, :misses, :now)
    ON CONFLICT (terminal_id) DO UPDATE
    SET total = w.total + excluded.total,
        misses = CASE WHEN w.window_started_at <= :window_start THEN 0 ELSE w.misses END + excluded.misses,
        window_started_at = CASE WHEN w.window_started_at <= :window_start THEN :now
                                 ELSE w.window_started_at END
    RETURNING misses, locked_until
""")
_LOCK = text("""
    UPDATE redemption.wrong_codes SET locked_until = :until, misses = 0, window_started_at = :now
    WHERE terminal_id = :terminal_id AND (locked_until IS NULL OR locked_until <= :now)
    RETURNING true
""")
_UNLOCK = text("""
    UPDATE redemption.wrong_codes SET locked_until = NULL, misses = 0, window_started_at = :now
    WHERE terminal_id = :terminal_id AND locked_until > :now
    RETURNING true
""")
_INSTITUTION = text("SELECT institution_id FROM redemption.terminal WHERE id = :terminal_id")
_CAMPAIGN = text("""
    SELECT m.campaign_id FROM redemption.membership m
    JOIN core.campaign c ON c.id = m.campaign_id
    WHERE m.institution_id = :institution_id
    ORDER BY c.created_at DESC, c.id LIMIT 1
""")
_PAGE = text("""
    SELECT id, terminal_id, institution_id, kind, misses, locked_until, reason, at FROM redemption.lockout
    WHERE CAST(:after_at AS timestamptz) IS NULL
       OR (at, id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid))
    ORDER BY at DESC, id DESC LIMIT :limit
""")
_TOTALS = text("""
    SELECT coalesce(sum(total), 0)::bigint AS total, count(*) FILTER (WHERE locked_until > :now) AS locked
    FROM redemption.wrong_codes
""")


@dataclass(frozen=True, slots=True)
class Lockout:
    id: UUID
    terminal_id: str
    institution_id: str
    kind: str
    misses: int | None
    locked_until: datetime | None
    reason: str | None
    at: datetime


async def count(
    tx: Tx, terminal_id: str, *, misses: int, now: datetime, window_start: datetime
) -> tuple[int, datetime | None]:
    """Adds wrong codes: (those of this window, locked until). Locks the terminal's count."""
    values = {"terminal_id": terminal_id, "misses": misses, "now": now, "window_start": window_start}
    row = (await tx.execute(_COUNT, values)).one()
    return row.misses, row.locked_until


async def lock(tx: Tx, terminal_id: str, *, until: datetime, now: datetime) -> bool:
    """False when it is locked already."""
    values = {"terminal_id": terminal_id, "until": until, "now": now}
    return (await tx.execute(_LOCK, values)).one_or_none() is not None


async def unlock(tx: Tx, terminal_id: str, now: datetime) -> bool:
    """False when it is not locked."""
    return (await tx.execute(_UNLOCK, {"terminal_id": terminal_id, "now": now})).one_or_none() is not None


async def write_history(tx: Tx, values: dict[str, Any]) -> None:
    await tx.execute(insert(LockoutRow).values(id=new_id(), **values))


async def institution_of(tx: Tx, terminal_id: str) -> str | None:
    """None for an unknown terminal."""
    return (await tx.execute(_INSTITUTION, {"terminal_id": terminal_id})).scalar_one_or_none()


async def newest_campaign(tx: Tx, institution_id: str) -> UUID | None:
    """The newest campaign that it takes part in: a wrong code belongs to none by itself."""
    return (await tx.execute(_CAMPAIGN, {"institution_id": institution_id})).scalar_one_or_none()


async def page(tx: Tx, *, after: tuple[datetime, UUID] | None, limit: int) -> list[Lockout]:
    """The newest first, from behind a place."""
    after_at, after_id = after or (None, None)
    rows = await tx.execute(_PAGE, {"after_at": after_at, "after_id": after_id, "limit": limit})
    return [Lockout(*row) for row in rows]


async def totals(tx: Tx, now: datetime) -> tuple[int, int]:
    """(wrong codes ever, terminals that are locked now)."""
    row = (await tx.execute(_TOTALS, {"now": now})).one()
    return row.total, row.locked
