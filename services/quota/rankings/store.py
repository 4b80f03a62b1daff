from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from services.quota.allocation.tables import AllocationRow
from services.quota.rankings.rules import Place, Ranked, Standing
from services.quota.rankings.tables import RankingEditionRow, RankingItemRow
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Edition:
    id: UUID
    month: date
    edition: int
    reason: str | None
    allocation_version: int
    unattributed: int
    frozen_at: datetime


_EDITION = select(
    RankingEditionRow.id,
    RankingEditionRow.month,
    RankingEditionRow.edition,
    RankingEditionRow.reason,
    AllocationRow.version,
    RankingEditionRow.unattributed,
    RankingEditionRow.frozen_at,
).join(AllocationRow, AllocationRow.id == RankingEditionRow.allocation_id)


async def edition(tx: Tx, programme_id: UUID, month: date, number: int | None = None) -> Edition | None:
    """An edition of a month: the latest one unless a number is given."""
    statement = _EDITION.where(
        RankingEditionRow.programme_id == programme_id, RankingEditionRow.month == month
    )
    if number is not None:
        statement = statement.where(RankingEditionRow.edition == number)
    statement = statement.order_by(RankingEditionRow.edition.desc()).limit(1)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Edition(*row)


async def editions(tx: Tx, programme_id: UUID, month: date | None) -> list[Edition]:
    """Newest month first, newest edition first; of one month, or of all."""
    statement = _EDITION.where(RankingEditionRow.programme_id == programme_id)
    if month is not None:
        statement = statement.where(RankingEditionRow.month == month)
    statement = statement.order_by(RankingEditionRow.month.desc(), RankingEditionRow.edition.desc())
    return [Edition(*row) for row in await tx.execute(statement)]


async def items(tx: Tx, edition_id: UUID) -> list[Ranked]:
    """In the order in which they were published."""
    statement = (
        select(RankingItemRow).where(RankingItemRow.edition_id == edition_id).order_by(RankingItemRow.place)
    )
    return [_ranked(row) for row in await tx.execute(statement)]


def _ranked(row: Any) -> Ranked:  # noqa: ANN401 - a row of the statement above
    return Ranked(
        Standing(
            hospital_id=row.hospital_id,
            hospital=row.hospital,
            alliance=row.alliance,
            quota=row.quota,
            issued=row.issued,
            month_issued=row.month_issued,
            level=row.level,
            needed_per_working_day=row.needed_per_working_day,
            miss_probability=row.miss_probability,
        ),
        Place(row.rank, row.rank_change, row.flagged),
        Place(row.level_rank, row.level_rank_change, row.level_flagged),
    )


def line(place: int, edition_id: UUID, entry: Ranked) -> dict[str, Any]:
    """A hospital's line of an edition, as it is written."""
    standing = entry.standing
    return {
        "edition_id": edition_id,
        "hospital_id": standing.hospital_id,
        "place": place,
        "hospital": standing.hospital,
        "alliance": standing.alliance,
        "quota": standing.quota,
        "month_issued": standing.month_issued,
        "issued": standing.issued,
        "rank": entry.place.rank,
        "rank_change": entry.place.rank_change,
        "flagged": entry.place.flagged,
        "level": standing.level,
        "level_rank": entry.in_level.rank,
        "level_rank_change": entry.in_level.rank_change,
        "level_flagged": entry.in_level.flagged,
        "needed_per_working_day": standing.needed_per_working_day,
        "miss_probability": standing.miss_probability,
    }
