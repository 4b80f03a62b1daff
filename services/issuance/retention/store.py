from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from shared.db import Tx
from shared.ids import BUCKETS

_FORGET = text("""
    SELECT issuance.forget_due(
        :now, :sent_at, CAST(:days AS bigint), :first, :last, :erased_only, :limit, :note)
""")
_FORGET_LISTED = text("SELECT issuance.forget_listed(:now, CAST(:days AS bigint), :limit)")
_ANY_DUE = text("""
    SELECT EXISTS (SELECT FROM issuance.campaign_ends(CAST(:days AS bigint)) WHERE keep_until <= :now)
        OR CAST(:days AS bigint) IS NOT NULL
""")
_TERMS = text("""
    SELECT term.slug, term.ends_at, term.days, term.keep_until, count(q.person_id) AS persons,
           count(p.id) FILTER (WHERE p.forgotten_at IS NOT NULL) AS forgotten
    FROM issuance.campaign_ends(CAST(:days AS bigint)) AS term
    LEFT JOIN issuance.participant q ON q.campaign_id = term.campaign_id
    LEFT JOIN core.person p ON p.bucket = q.bucket AND p.id = q.person_id
    GROUP BY term.slug, term.ends_at, term.days, term.keep_until
    ORDER BY term.ends_at, term.slug
""")
_DUE = text("""
    SELECT count(*) AS due, count(*) FILTER (WHERE p.erased_at IS NOT NULL) AS erased
    FROM issuance.persons_due(:now, CAST(:days AS bigint), 0, :last, false) AS due
    JOIN core.person p ON p.bucket = due.bucket AND p.id = due.person_id
""")
_WAITING = text("""
    SELECT count(*) FROM core.person WHERE erased_at IS NOT NULL AND forgotten_at IS NULL
""")


@dataclass(frozen=True, slots=True)
class Term:
    slug: str
    ends_at: datetime
    days: int | None
    keep_until: datetime | None
    persons: int
    forgotten: int


@dataclass(frozen=True, slots=True)
class Run:
    """What one step of the clock looks at: these buckets, and at most so many persons."""

    now: datetime
    sent_at: datetime
    days: int | None
    buckets: tuple[int, int]
    erased_only: bool
    limit: int
    note: str


async def forget_due(tx: Tx, run: Run) -> int:
    """issuance.forget_due: locks accounts, identities, participants and what they hold; returns how many."""
    values = {
        "now": run.now,
        "sent_at": run.sent_at,
        "days": run.days,
        "first": run.buckets[0],
        "last": run.buckets[1],
        "erased_only": run.erased_only,
        "limit": run.limit,
        "note": run.note,
    }
    return int((await tx.execute(_FORGET, values)).scalar_one())


async def forget_listed(tx: Tx, *, now: datetime, days: int | None, limit: int) -> int:
    """issuance.forget_listed: how many entries of lists were forgotten."""
    return int((await tx.execute(_FORGET_LISTED, {"now": now, "days": days, "limit": limit})).scalar_one())


async def anything_due(tx: Tx, *, now: datetime, days: int | None) -> bool:
    """Whether anybody could be due who was not erased: it is not worth looking otherwise."""
    return bool((await tx.execute(_ANY_DUE, {"now": now, "days": days})).scalar_one())


async def terms(tx: Tx, days: int | None) -> list[Term]:
    return [Term(*row) for row in await tx.execute(_TERMS, {"days": days})]


async def due(tx: Tx, *, now: datetime, days: int | None) -> tuple[int, int]:
    """How many are due, and how many of them had been erased."""
    row = (await tx.execute(_DUE, {"now": now, "days": days, "last": BUCKETS - 1})).one()
    return row.due, row.erased


async def erased_waiting(tx: Tx) -> int:
    return int((await tx.execute(_WAITING)).scalar_one())
