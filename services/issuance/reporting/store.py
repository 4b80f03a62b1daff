"""SQL of issuance's figures that are no roll-ups: stock and open awards, as they are now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from services.issuance.phases.rules import Release
from shared.db import Tx

_STOCK = text("""
    SELECT p.campaign_id, p.seq, s.voucher_type, s.remaining, s.put_in, s.issued - s.returned,
           p.opens_at, p.closes_at, p.release_seconds, s.release_amount
    FROM issuance.phase_stock s
    JOIN issuance.phase p ON p.id = s.phase_id
    WHERE p.campaign_id = ANY(CAST(:campaigns AS uuid[]))
      AND (CAST(:not_closed_at AS timestamptz) IS NULL OR p.closes_at > :not_closed_at)
    ORDER BY p.campaign_id, p.seq, s.voucher_type
""")
_AWARDS_OPEN = text("""
    SELECT count(*) FROM issuance.award
    WHERE state = 'open' AND campaign_id = ANY(CAST(:campaigns AS uuid[]))
""")
# Of the phase that is open, else of the next one, else of the last.
_ODDS_IN_FORCE = text("""
    SELECT o.odds_ppm FROM issuance.phase p
    JOIN issuance.odds_version o ON o.phase_id = p.id AND o.effective_from <= :now
    WHERE p.campaign_id = ANY(CAST(:campaigns AS uuid[]))
    ORDER BY p.closes_at <= :now, CASE WHEN p.closes_at > :now THEN p.opens_at END, p.closes_at DESC,
             o.effective_from DESC
    LIMIT 1
""")
_CHANNELS = text("""
    SELECT key FROM issuance.channel WHERE campaign_id = ANY(CAST(:campaigns AS uuid[]))
    GROUP BY key ORDER BY min(position), key
""")


@dataclass(frozen=True, slots=True)
class Stock:
    campaign_id: UUID
    phase_seq: int
    voucher_type: str
    remaining: int
    put_in: int
    issued: int
    opens_at: datetime
    closes_at: datetime
    release_seconds: int | None
    release_amount: int | None

    def is_open(self, now: datetime) -> bool:
        return self.opens_at <= now < self.closes_at

    def claimable(self, now: datetime) -> int:
        """What of the rest is released by now, in an open phase or any other."""
        if self.release_seconds is None or self.release_amount is None:
            return self.remaining
        plan = Release(self.opens_at, self.closes_at, self.release_seconds, self.release_amount)
        return plan.claimable(self.remaining, self.issued, now)


async def stock(tx: Tx, campaigns: Sequence[UUID], *, not_closed_at: datetime | None = None) -> list[Stock]:
    """What is left in the phases of these campaigns, or only in those that are not closed by then."""
    values = {"campaigns": list(campaigns), "not_closed_at": not_closed_at}
    return [Stock(*row) for row in await tx.execute(_STOCK, values)]


async def awards_open(tx: Tx, campaigns: Sequence[UUID]) -> int:
    return int((await tx.execute(_AWARDS_OPEN, {"campaigns": list(campaigns)})).scalar_one())


async def odds_in_force(tx: Tx, campaigns: Sequence[UUID], now: datetime) -> int | None:
    """In ppm; None when there is no phase at all."""
    values = {"campaigns": list(campaigns), "now": now}
    odds_ppm: int | None = (await tx.execute(_ODDS_IN_FORCE, values)).scalar_one_or_none()
    return odds_ppm


async def channels(tx: Tx, campaigns: Sequence[UUID]) -> list[str]:
    """The ways to take part that any of these campaigns offers, in the order of their definition."""
    return list((await tx.execute(_CHANNELS, {"campaigns": list(campaigns)})).scalars())
