"""SQL of when terminals were seen, and how their clocks stood."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, text, tuple_

from services.redemption.institutions.tables import InstitutionRow
from services.redemption.terminals.tables import TerminalRow
from shared.db import Tx

# A row that somebody else holds just now is written with the next sighting: nobody waits for this.
_WRITE = text("""
    WITH seen AS (
        SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:seen AS timestamptz[]), CAST(:skews AS bigint[]))
            AS u (id, seen_at, skew)
    ), held AS (
        SELECT t.id FROM redemption.terminal t JOIN seen ON seen.id = t.id
        WHERE seen.seen_at >= t.last_seen_at + CAST(:every AS interval) OR t.last_seen_at IS NULL
           OR (seen.seen_at IS NULL AND t.clock_skew_seconds IS DISTINCT FROM seen.skew)
        ORDER BY t.id
        FOR NO KEY UPDATE OF t SKIP LOCKED
    )
    UPDATE redemption.terminal t
    SET last_seen_at = greatest(t.last_seen_at, seen.seen_at), clock_skew_seconds = seen.skew
    FROM held JOIN seen ON seen.id = held.id
    WHERE t.id = held.id
""")


@dataclass(frozen=True, slots=True)
class Sighting:
    """`seen_at` is None for a request that was refused for its clock."""

    terminal_id: str
    seen_at: datetime | None
    skew_seconds: int


@dataclass(frozen=True, slots=True)
class SeenTerminal:
    id: str
    institution_id: str
    institution: str
    label: str
    status: str
    device_id: str | None
    activated_at: datetime | None
    last_seen_at: datetime | None
    clock_skew_seconds: int | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Filters:
    """`silent_since`: live ones that have not been seen since; `skew_seconds`: off by at least so much."""

    institution_id: str | None = None
    status: str | None = None
    silent_since: datetime | None = None
    skew_seconds: int | None = None


_COLUMNS = (
    TerminalRow.id,
    TerminalRow.institution_id,
    InstitutionRow.name,
    TerminalRow.label,
    TerminalRow.status,
    TerminalRow.device_id,
    TerminalRow.activated_at,
    TerminalRow.last_seen_at,
    TerminalRow.clock_skew_seconds,
    TerminalRow.version,
)


async def write(tx: Tx, sightings: Sequence[Sighting], *, every: timedelta) -> int:
    """Writes those that are news; a terminal's row changes once in `every` at the most. Returns how many."""
    values: dict[str, Any] = {
        "ids": [one.terminal_id for one in sightings],
        "seen": [one.seen_at for one in sightings],
        "skews": [one.skew_seconds for one in sightings],
        "every": every,
    }
    return (await tx.execute(_WRITE, values)).rowcount


async def page(tx: Tx, filters: Filters, *, limit: int, after: tuple[str, str] | None) -> list[SeenTerminal]:
    """In the order of institution and terminal."""
    statement = select(*_COLUMNS).join(InstitutionRow, InstitutionRow.id == TerminalRow.institution_id)
    statement = statement.where(*_fits(filters))
    if after is not None:
        statement = statement.where(tuple_(TerminalRow.institution_id, TerminalRow.id) > after)
    statement = statement.order_by(TerminalRow.institution_id, TerminalRow.id).limit(limit)
    return [_seen(row) for row in await tx.execute(statement)]


async def count(tx: Tx, filters: Filters) -> int:
    statement = select(func.count()).select_from(TerminalRow).where(*_fits(filters))
    return (await tx.execute(statement)).scalar_one()


def _fits(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.institution_id is not None:
        yield TerminalRow.institution_id == filters.institution_id
    if filters.status is not None:
        yield TerminalRow.status == filters.status
    if filters.silent_since is not None:
        yield TerminalRow.status.in_(("active", "paused"))
        yield func.coalesce(TerminalRow.last_seen_at, TerminalRow.activated_at) <= filters.silent_since
    if filters.skew_seconds is not None:
        yield func.abs(TerminalRow.clock_skew_seconds) >= filters.skew_seconds


def _seen(row: Any) -> SeenTerminal:  # noqa: ANN401 - a row of _COLUMNS
    return SeenTerminal(*row)
