"""SQL of plans: it only reads. What rooms of issuance know already is read with their own functions."""

from collections import defaultdict
from datetime import date
from uuid import UUID

from sqlalchemy import select, text

from services.issuance.campaigns.tables import AwardPoolRow, PhaseRow
from services.issuance.planning.rules import Day
from shared.db import Tx
from shared.ids import BUCKETS
from shared.metrics.store import figures

# A sixteenth of all persons tells how many there are to half a percent, once there are many.
_BUCKETS_COUNTED = BUCKETS // 16
_FEW = 20_000

_MEASURES = ["attempt", "participant", "chance", "draw", "issue"]
_PERSONS = text("""
    SELECT count(*) FROM issuance.participant WHERE campaign_id = :campaign_id AND bucket < :buckets
""")


async def days(tx: Tx, campaign_id: UUID) -> dict[date, Day]:
    """The campaign's figures day by day, exact as of this statement."""
    by_day: dict[date, Day] = defaultdict(Day)
    for figure in await figures(tx, [campaign_id], _MEASURES):
        day = by_day[figure.day]
        match figure.measure:
            case "attempt":
                day.attempts += figure.n
                day.passed += figure.n if figure.dim == "passed" else 0
            case "participant":
                day.participants += figure.n
            case "chance":
                day.chances[figure.dim] += figure.n
            case "draw":
                day.draws += figure.n
                day.wins += figure.n if figure.dim == "won" else 0
            case _:
                day.issued[figure.dim] += figure.n
                day.money_fen += figure.fen
    return dict(by_day)


async def left_to_award(tx: Tx, campaign_id: UUID) -> dict[UUID, int]:
    """What each phase of the campaign can still award."""
    statement = (
        select(AwardPoolRow.phase_id, AwardPoolRow.left_to_award)
        .join(PhaseRow, PhaseRow.id == AwardPoolRow.phase_id)
        .where(PhaseRow.campaign_id == campaign_id)
    )
    return {row.phase_id: row.left_to_award for row in await tx.execute(statement)}


async def persons(tx: Tx, campaign_id: UUID, *, attempts: int) -> int:
    """How many persons began an attempt; of a large campaign estimated from a sixteenth of them."""
    buckets = BUCKETS if attempts <= _FEW else _BUCKETS_COUNTED
    found = await tx.execute(_PERSONS, {"campaign_id": campaign_id, "buckets": buckets})
    return int(found.scalar_one()) * BUCKETS // buckets
