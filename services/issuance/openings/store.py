"""SQL of openings: each device counts once for a campaign and day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text

from shared.db import Tx

_NOTE = text("""
    WITH new AS (
        INSERT INTO issuance.opening (campaign_id, day, device_hash)
        SELECT DISTINCT campaign_id, day, device_hash
        FROM unnest(CAST(:campaigns AS uuid[]), CAST(:days AS date[]), CAST(:hashes AS bytea[]))
             AS u (campaign_id, day, device_hash)
        ORDER BY campaign_id, day, device_hash
        ON CONFLICT DO NOTHING
        RETURNING campaign_id, day
    )
    INSERT INTO core.tally_delta (scope_id, day, measure, n)
    SELECT campaign_id, day, 'open', count(*) FROM new GROUP BY campaign_id, day
""")
_FORGET = text("""
    DELETE FROM issuance.opening WHERE (campaign_id, day, device_hash) IN (
        SELECT campaign_id, day, device_hash FROM issuance.opening WHERE day < :day LIMIT :limit)
""")


@dataclass(frozen=True, slots=True)
class Opening:
    campaign_id: UUID
    day: date
    device_hash: bytes


async def note(tx: Tx, openings: Sequence[Opening]) -> None:
    """Those that are new are counted, in the same statement."""
    values = {
        "campaigns": [opening.campaign_id for opening in openings],
        "days": [opening.day for opening in openings],
        "hashes": [opening.device_hash for opening in openings],
    }
    await tx.execute(_NOTE, values)


async def forget(tx: Tx, *, before: date, limit: int) -> int:
    """Forgets devices of days before that one; their number stays. Returns how many."""
    return (await tx.execute(_FORGET, {"day": before, "limit": limit})).rowcount
