"""SQL of where awards are claimed, in campaigns that note it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text

from shared.db import Database, Tx
from shared.ids import HotId

_NOTING = """
    SELECT c.id, c.timezone FROM issuance.risk_rule r JOIN core.campaign c ON c.id = r.campaign_id
    WHERE r.note_claims
"""
# Only of open awards that are whose claim it is, in the campaign that the hashes were made for. Their share
# lock, in the order of their key, makes an erasure and this wait for each other: nothing is noted of somebody
# who was forgotten meanwhile.
_NOTE = """
    WITH own AS MATERIALIZED (
        SELECT a.bucket, a.id, a.campaign_id, a.person_id, u.device, u.address, u.claimed_on
        FROM unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bytea[], $6::bytea[], $7::date[])
             AS u (bucket, award_id, person_id, campaign_id, device, address, claimed_on)
        JOIN issuance.award a ON a.bucket = u.bucket AND a.id = u.award_id AND a.person_id = u.person_id
                             AND a.campaign_id = u.campaign_id AND a.state = 'open'
        ORDER BY a.bucket, a.id
        FOR SHARE OF a
    )
    SELECT core.note_origins(array_agg(bucket), array_agg(id), array_agg(campaign_id), array_agg(person_id),
                             array_agg(device), array_agg(address), array_agg(claimed_on))
    FROM own HAVING count(*) > 0
"""
_FORGET = text("SELECT core.forget_origins(CAST(:before AS date), CAST(:limit AS integer))")


@dataclass(frozen=True, slots=True)
class Noting:
    """A campaign that notes where its awards are claimed."""

    campaign_id: UUID
    timezone: str


@dataclass(frozen=True, slots=True)
class Origin:
    award: HotId
    person_id: UUID
    campaign_id: UUID
    device_hash: bytes | None
    address_hash: bytes | None
    claimed_on: date


async def noting(database: Database) -> list[Noting]:
    return [Noting(*row) for row in await database.call(_NOTING)]


async def note(database: Database, origins: Sequence[Origin]) -> None:
    """The first one of an award stays."""
    await database.call(
        _NOTE,
        [origin.award.bucket for origin in origins],
        [origin.award.uuid for origin in origins],
        [origin.person_id for origin in origins],
        [origin.campaign_id for origin in origins],
        [origin.device_hash for origin in origins],
        [origin.address_hash for origin in origins],
        [origin.claimed_on for origin in origins],
    )


async def forget(tx: Tx, *, before: date, limit: int) -> int:
    """Forgets what was claimed before a day; returns how many."""
    return int((await tx.execute(_FORGET, {"before": before, "limit": limit})).scalar_one())
