"""SQL of what the report tells beside the kept figures."""

from uuid import UUID

from sqlalchemy import text

from services.issuance.lessons.rules import Institution, Matters
from shared.db import Tx

_TOO_HARD = text("""
    SELECT count(*) FROM issuance.question_statistics s
    JOIN issuance.question q ON q.campaign_id = s.campaign_id AND q.id = s.question_id
    WHERE s.campaign_id = :campaign_id AND s.verdict = 'too_hard' AND q.retired_at IS NULL
""")
_INSTITUTIONS = text("SELECT institution_id, name FROM redemption.institutions_of(:campaign_id)")
_MATTERS = text("SELECT risk_cases, disputes FROM redemption.open_matters(:campaign_id)")


async def too_hard_in_use(tx: Tx, campaign_id: UUID) -> int:
    """Questions in use that the kept statistics call too hard."""
    return int((await tx.execute(_TOO_HARD, {"campaign_id": campaign_id})).scalar_one())


async def institutions(tx: Tx, campaign_id: UUID) -> list[Institution]:
    """Who takes part, in the order of names, as redemption tells it."""
    rows = await tx.execute(_INSTITUTIONS, {"campaign_id": campaign_id})
    return [Institution(row.institution_id, row.name) for row in rows]


async def matters(tx: Tx, campaign_id: UUID) -> Matters:
    """What is open with the institutions, as redemption tells it."""
    row = (await tx.execute(_MATTERS, {"campaign_id": campaign_id})).one()
    return Matters(row.risk_cases, row.disputes)
