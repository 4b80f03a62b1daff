"""SQL of the draw log: what is public of it, and its roots."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from services.issuance.drawlog.tables import DrawLogRootRow
from shared.db import Tx

# Before every draw that has the same stamp.
_NO_ID = UUID(int=0)

_CAMPAIGN_ID = text("SELECT id FROM core.campaign WHERE slug = :slug")
# What is sealed need not be counted again: at most the draws of an hour are.
_AUDIT = text("""
    SELECT p.id, p.seq, p.closes_at, p.seed_commitment, p.seed_revealed,
           coalesce(sealed.draws, 0)
           + (SELECT count(*) FROM issuance.draw d
              WHERE d.phase_id = p.id AND d.drawn_at >= coalesce(sealed.at, '-infinity')) AS draws,
           ARRAY(SELECT odds_ppm FROM issuance.odds_version
                 WHERE phase_id = p.id ORDER BY effective_from) AS odds,
           ARRAY(SELECT effective_from FROM issuance.odds_version
                 WHERE phase_id = p.id ORDER BY effective_from) AS odds_from
    FROM issuance.phase p
    LEFT JOIN LATERAL (
        SELECT at, draws FROM issuance.draw_log_root WHERE phase_id = p.id ORDER BY at DESC LIMIT 1
    ) sealed ON true
    WHERE p.campaign_id = :campaign ORDER BY p.seq
""")
_ROOTS = text("""
    SELECT r.phase_id, r.at, r.root, r.draws, r.sealed_at
    FROM issuance.draw_log_root r WHERE r.phase_id = ANY(CAST(:phases AS uuid[]))
    ORDER BY r.phase_id, r.at
""")
# Drawn at the same instant means drawn by one batch: the id settles the order within it, for ever.
_LINES = text("""
    SELECT d.drawn_at, d.id,
           issuance.draw_log_line(d.bucket, d.chance_id, d.client_seed, o.odds_ppm, d.value, d.won)
    FROM issuance.draw d JOIN issuance.odds_version o ON o.id = d.odds_version_id
    WHERE d.phase_id = :phase
      AND (d.drawn_at, d.id) > (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid))
    ORDER BY d.drawn_at, d.id LIMIT :limit
""")
_UNSEALED = text("""
    SELECT p.id, c.slug, p.seq, p.seed_commitment, p.opens_at, p.closes_at,
           sealed.at, sealed.draws, sealed.root
    FROM issuance.phase p
    JOIN core.campaign c ON c.id = p.campaign_id
    LEFT JOIN LATERAL (
        SELECT at, draws, root FROM issuance.draw_log_root WHERE phase_id = p.id ORDER BY at DESC LIMIT 1
    ) sealed ON true
    WHERE p.opens_at <= :now AND (sealed.at IS NULL OR sealed.at < p.closes_at)
    ORDER BY p.opens_at, p.id
""")
_LOCK_POOL = text("SELECT FROM issuance.award_pool WHERE phase_id = :phase FOR UPDATE")
_CUT = text("""
    INSERT INTO issuance.draw_log_cut AS c (phase_id, at) VALUES (:phase, :at)
    ON CONFLICT (phase_id) DO UPDATE SET at = greatest(c.at, excluded.at)
""")
_CHAIN = text("""
    SELECT head, draws, last_at, last_id
    FROM issuance.draw_log_chain(:phase, :from_at, :after_id, :until, :limit, :head)
""")
_DRAWN_BEFORE = text("SELECT count(*) FROM issuance.draw WHERE phase_id = :phase AND drawn_at < :at")
_ROOT_AT = text("SELECT draws, root FROM issuance.draw_log_root WHERE phase_id = :phase AND at = :at")


@dataclass(frozen=True, slots=True)
class Root:
    at: datetime
    root: bytes
    draws: int
    sealed_at: datetime


@dataclass(frozen=True, slots=True)
class AuditedPhase:
    """`odds` (ppm) and `odds_from` list its versions in the order of time; `seed` is null until revealed."""

    id: UUID
    seq: int
    closes_at: datetime
    seed_commitment: str
    seed: str | None
    draws: int
    odds: list[int]
    odds_from: list[datetime]
    roots: tuple[Root, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log, behind one of its draws."""

    at: datetime
    id: UUID = _NO_ID


@dataclass(frozen=True, slots=True)
class Head:
    """How far the chain of a phase is computed: over so many draws, up to this position."""

    position: Position
    draws: int
    head: bytes


@dataclass(frozen=True, slots=True)
class OpenLog:
    """A phase whose log is not sealed to its end; `sealed` is its last root, with the moment it is of."""

    phase_id: UUID
    slug: str
    seq: int
    seed_commitment: str
    opens_at: datetime
    closes_at: datetime
    sealed: Head | None


async def campaign_id(tx: Tx, slug: str) -> UUID | None:
    found: UUID | None = (await tx.execute(_CAMPAIGN_ID, {"slug": slug})).scalar_one_or_none()
    return found


async def audited_phases(tx: Tx, campaign: UUID) -> list[AuditedPhase]:
    """The phases of a campaign with their odds, the number of their draws and the roots of their logs."""
    rows = (await tx.execute(_AUDIT, {"campaign": campaign})).all()
    roots: defaultdict[UUID, list[Root]] = defaultdict(list)
    for row in await tx.execute(_ROOTS, {"phases": [row.id for row in rows]}):
        roots[row.phase_id].append(Root(*row[1:]))
    return [AuditedPhase(*[*row, tuple(roots[row.id])]) for row in rows]


async def lines(tx: Tx, phase_id: UUID, *, after: Position, limit: int) -> tuple[list[str], Position]:
    """The next lines of the public log from behind a position, and the position behind them."""
    values = {"phase": phase_id, "after_at": after.at, "after_id": after.id, "limit": limit}
    rows = (await tx.execute(_LINES, values)).all()
    return [row[2] for row in rows], Position(rows[-1][0], rows[-1][1]) if rows else after


async def open_logs(tx: Tx, now: datetime) -> list[OpenLog]:
    """Phases that have begun and whose log is not sealed to its end; locks nothing."""
    return [
        OpenLog(*[*row[:6], None if row.at is None else Head(Position(row.at), row.draws, row.root)])
        for row in await tx.execute(_UNSEALED, {"now": now})
    ]


async def cut(tx: Tx, phase_id: UUID, at: datetime) -> None:
    """From its commit on no draw of the phase is stamped before `at`; locks the phase's award pool.

    Draws that were stamped before it have committed by then: each holds that lock until it has.
    """
    await tx.execute(_LOCK_POOL, {"phase": phase_id})
    await tx.execute(_CUT, {"phase": phase_id, "at": at})


async def chain(tx: Tx, phase_id: UUID, head: Head, *, until: datetime, limit: int) -> Head:
    """issuance.draw_log_chain: carries the chain on over at most `limit` draws before `until`."""
    values = {
        "phase": phase_id,
        "from_at": head.position.at,
        "after_id": head.position.id,
        "until": until,
        "limit": limit,
        "head": head.head,
    }
    row = (await tx.execute(_CHAIN, values)).one()
    position = head.position if row.last_at is None else Position(row.last_at, row.last_id)
    return Head(position, head.draws + row.draws, row.head)


async def drawn_before(tx: Tx, phase_id: UUID, at: datetime) -> int:
    return int((await tx.execute(_DRAWN_BEFORE, {"phase": phase_id, "at": at})).scalar_one())


async def insert_root(tx: Tx, phase_id: UUID, root: Root) -> bool:
    """False when another worker was first: its root stays."""
    statement = insert(DrawLogRootRow).values(
        phase_id=phase_id, at=root.at, draws=root.draws, root=root.root, sealed_at=root.sealed_at
    )
    return (await tx.execute(statement.on_conflict_do_nothing())).rowcount == 1


async def root_at(tx: Tx, phase_id: UUID, at: datetime) -> tuple[int, bytes]:
    """The draws that a root covers, and the root."""
    row = (await tx.execute(_ROOT_AT, {"phase": phase_id, "at": at})).one()
    return row.draws, row.root
