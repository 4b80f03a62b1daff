"""SQL of the monitor: it only reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.issuance.monitoring.rules import DrawnCell
from shared.db import Tx
from shared.ids import BUCKETS

_DRAWN = text("""
    SELECT d.day, d.channel, o.odds_ppm, count(*), count(*) FILTER (WHERE d.won)
    FROM issuance.draw d
    JOIN issuance.odds_version o ON o.id = d.odds_version_id
    WHERE d.phase_id = ANY(CAST(:phases AS uuid[]))
    GROUP BY d.day, d.channel, o.odds_ppm
""")
_PHASES = text("""
    SELECT id FROM issuance.phase
    WHERE campaign_id = :campaign_id AND (CAST(:seq AS integer) IS NULL OR seq = :seq)
""")
_STARTED = text("""
    SELECT count(*) FROM issuance.quiz_attempt WHERE campaign_id = :campaign_id AND bucket < :buckets
""")
_CLAIMED = text("""
    SELECT d.channel, count(*), count(*) FILTER (WHERE v.state = 'redeemed')
    FROM issuance.award a
    JOIN issuance.draw d ON d.bucket = a.bucket AND d.id = a.draw_id
    JOIN core.voucher v ON v.bucket = a.bucket AND v.id = a.voucher_id
    WHERE a.campaign_id = :campaign_id AND a.state = 'claimed'
    GROUP BY d.channel
""")


@dataclass(frozen=True, slots=True)
class Claimed:
    """Vouchers whose chance was earned in this way, and how many of them are written off."""

    channel: str
    vouchers: int
    redeemed: int


async def phases(tx: Tx, campaign_id: UUID, seq: int | None) -> list[UUID]:
    """The phase with this number, or all of them; empty when there is none."""
    rows = await tx.execute(_PHASES, {"campaign_id": campaign_id, "seq": seq})
    return list(rows.scalars())


async def drawn(tx: Tx, phase_ids: Sequence[UUID]) -> list[DrawnCell]:
    """Every draw of these phases, counted by day, way and the odds that it was made at."""
    return [DrawnCell(*row) for row in await tx.execute(_DRAWN, {"phases": list(phase_ids)})]


async def started(tx: Tx, campaign_id: UUID, *, buckets: int) -> int:
    """How many attempts were begun, estimated from the persons in the first so many buckets."""
    rows = await tx.execute(_STARTED, {"campaign_id": campaign_id, "buckets": buckets})
    return int(rows.scalar_one()) * BUCKETS // buckets


async def claimed(tx: Tx, campaign_id: UUID) -> list[Claimed]:
    return [Claimed(*row) for row in await tx.execute(_CLAIMED, {"campaign_id": campaign_id})]
