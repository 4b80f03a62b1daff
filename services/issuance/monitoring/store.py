"""SQL of the monitor: it only reads."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.issuance.monitoring.rules import DrawnCell, Phase
from shared.db import Tx
from shared.ids import BUCKETS
from shared.metrics.store import figures

# What the draw counts: outcomes by way, and how many were made at which odds by way.
_DRAW, _DRAW_AT_ODDS = "draw", "draw_at_odds"

# Along the index of phase and time: of a day that two phases share.
_DRAWN = text("""
    SELECT d.channel, o.odds_ppm, count(*) AS draws, count(*) FILTER (WHERE d.won) AS wins
    FROM issuance.draw d
    JOIN issuance.odds_version o ON o.id = d.odds_version_id
    WHERE d.phase_id = :phase AND d.drawn_at >= :begin AND d.drawn_at < :end
    GROUP BY d.channel, o.odds_ppm
""")
_PHASES = text("SELECT id, seq, opens_at, closes_at FROM issuance.phase WHERE campaign_id = :campaign_id")
_KEPT = text("SELECT as_of, basis, told FROM issuance.funnel WHERE campaign_id = :campaign_id")
_KEEP = text("""
    INSERT INTO issuance.funnel (campaign_id, as_of, basis, told)
    VALUES (:campaign_id, :as_of, :basis, CAST(:told AS jsonb))
    ON CONFLICT (campaign_id) DO UPDATE
    SET as_of = excluded.as_of, basis = excluded.basis, told = excluded.told
""")
# As the last ANALYZE saw it.
_PERSONS_ABOUT = text("""
    SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = CAST('core.person' AS regclass)
""")
_STARTED = text("""
    SELECT day, count(*) FROM issuance.quiz_attempt WHERE campaign_id = :campaign_id AND bucket < :buckets
    GROUP BY day
""")
_CLAIMED = text("""
    SELECT channel, step, CAST(at AT TIME ZONE :timezone AS date), count(*)
    FROM (SELECT d.channel, a.claimed_at, v.redeemed_at
          FROM issuance.award a
          JOIN issuance.draw d ON d.bucket = a.bucket AND d.id = a.draw_id
          JOIN core.voucher v ON v.bucket = a.bucket AND v.id = a.voucher_id
          WHERE a.campaign_id = :campaign_id AND a.state = 'claimed') AS claim
    CROSS JOIN LATERAL (VALUES ('claimed', claimed_at), ('redeemed', redeemed_at)) AS step (step, at)
    WHERE at IS NOT NULL
    GROUP BY 1, 2, 3
""")
# Everybody who ever signed in stands first: people sign in to the platform, not to a campaign.
_PERSONS = text("""
    SELECT (SELECT count(*) FROM core.person WHERE bucket < :buckets),
           (SELECT count(*) FROM core.person WHERE bucket < :buckets AND verified_at IS NOT NULL),
           (SELECT count(*) FROM (
                SELECT person_id FROM issuance.participant
                WHERE bucket < :buckets AND campaign_id = :campaign_id
                UNION
                SELECT person_id FROM issuance.chance
                WHERE bucket < :buckets AND campaign_id = :campaign_id) AS took_part),
           (SELECT count(DISTINCT person_id) FROM issuance.draw
            WHERE bucket < :buckets AND campaign_id = :campaign_id),
           (SELECT count(DISTINCT person_id) FROM issuance.award
            WHERE bucket < :buckets AND campaign_id = :campaign_id),
           (SELECT count(DISTINCT person_id) FROM issuance.award
            WHERE bucket < :buckets AND campaign_id = :campaign_id AND state = 'claimed'),
           (SELECT count(DISTINCT person_id) FROM core.voucher
            WHERE bucket < :buckets AND campaign_id = :campaign_id AND state = 'redeemed')
""")


@dataclass(frozen=True, slots=True)
class KeptFunnel:
    """`basis`: the sum of the tallies when it was counted."""

    as_of: datetime
    basis: int
    told: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Claimed:
    """Vouchers whose chance was earned in this way and that were claimed or redeemed (`step`) on a day."""

    channel: str
    step: str
    day: date
    vouchers: int


async def kept_funnel(tx: Tx, campaign_id: UUID) -> KeptFunnel | None:
    row = (await tx.execute(_KEPT, {"campaign_id": campaign_id})).one_or_none()
    return None if row is None else KeptFunnel(*row)


async def keep_funnel(tx: Tx, campaign_id: UUID, kept: KeptFunnel) -> None:
    told = json.dumps(kept.told, ensure_ascii=False)
    values = {"campaign_id": campaign_id, "as_of": kept.as_of, "basis": kept.basis, "told": told}
    await tx.execute(_KEEP, values)


async def persons_about(tx: Tx) -> int:
    """Roughly how many persons the platform knows, in no time."""
    return int((await tx.execute(_PERSONS_ABOUT)).scalar_one())


async def phases(tx: Tx, campaign_id: UUID) -> list[Phase]:
    return [Phase(*row) for row in await tx.execute(_PHASES, {"campaign_id": campaign_id})]


async def drawn_on(tx: Tx, phase_id: UUID, day: date, begin: datetime, end: datetime) -> list[DrawnCell]:
    """The draws of a phase between two moments of a day, counted one by one."""
    tries: defaultdict[tuple[date, str], Counter[int]] = defaultdict(Counter)
    wins: Counter[tuple[date, str]] = Counter()
    for row in await tx.execute(_DRAWN, {"phase": phase_id, "begin": begin, "end": end}):
        tries[day, row.channel][row.odds_ppm] += row.draws
        wins[day, row.channel] += row.wins
    return _cells(tries, wins)


async def drawn(tx: Tx, campaign_ids: Sequence[UUID]) -> dict[UUID, list[DrawnCell]]:
    """The draws of campaigns out of the rolled-up figures, so that it takes milliseconds."""
    tries: dict[UUID, defaultdict[tuple[date, str], Counter[int]]]
    tries = {key: defaultdict(Counter) for key in campaign_ids}
    wins: dict[UUID, Counter[tuple[date, str]]] = {key: Counter() for key in campaign_ids}
    for figure in await figures(tx, list(campaign_ids), [_DRAW, _DRAW_AT_ODDS]):
        place = figure.day, figure.dim2
        if figure.measure == _DRAW_AT_ODDS:
            tries[figure.scope_id][place][int(figure.dim)] += figure.n
        elif figure.dim == "won":
            wins[figure.scope_id][place] += figure.n
    return {key: _cells(tries[key], wins[key]) for key in campaign_ids}


def _cells(
    tries: Mapping[tuple[date, str], Mapping[int, int]], wins: Mapping[tuple[date, str], int]
) -> list[DrawnCell]:
    return [DrawnCell(*place, tries_at, wins.get(place, 0)) for place, tries_at in tries.items()]


async def started(tx: Tx, campaign_id: UUID, *, buckets: int) -> dict[date, int]:
    """How many attempts were begun on each day, estimated from the persons in the first so many buckets."""
    rows = await tx.execute(_STARTED, {"campaign_id": campaign_id, "buckets": buckets})
    return {day: n * BUCKETS // buckets for day, n in rows}


async def claimed(tx: Tx, campaign_id: UUID, timezone: str) -> list[Claimed]:
    values = {"campaign_id": campaign_id, "timezone": timezone}
    return [Claimed(*row) for row in await tx.execute(_CLAIMED, values)]


async def persons(tx: Tx, campaign_id: UUID, *, buckets: int) -> list[int]:
    """How many persons signed in, were verified, took part, drew, won, claimed, redeemed.

    Estimated from the persons in the first so many buckets.
    """
    row = (await tx.execute(_PERSONS, {"campaign_id": campaign_id, "buckets": buckets})).one()
    return [n * BUCKETS // buckets for n in row]
