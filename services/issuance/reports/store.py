"""SQL of what the report tells beside the kept figures."""

from uuid import UUID

from sqlalchemy import text

from shared.db import Tx

_TOO_HARD = text("""
    SELECT count(*) FROM issuance.question_statistics s
    JOIN issuance.question q ON q.campaign_id = s.campaign_id AND q.id = s.question_id
    WHERE s.campaign_id = :campaign_id AND s.verdict = 'too_hard' AND q.retired_at IS NULL
""")


async def too_hard_in_use(tx: Tx, campaign_id: UUID) -> int:
    """Questions in use that the kept statistics call too hard."""
    return int((await tx.execute(_TOO_HARD, {"campaign_id": campaign_id})).scalar_one())
