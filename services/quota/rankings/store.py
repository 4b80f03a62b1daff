from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from services.quota.programmes.tables import ProgrammeRow
from services.quota.rankings.rules import Ranked, Standing
from services.quota.rankings.tables import RankingEditionRow, RankingItemRow
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Edition:
    id: UUID
    edition: int
    reason: str | None
    unattributed: int
    frozen_at: datetime


_EDITION = select(
    RankingEditionRow.id,
    RankingEditionRow.edition,
    RankingEditionRow.reason,
    RankingEditionRow.unattributed,
    RankingEditionRow.frozen_at,
)


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


async def items(tx: Tx, edition_id: UUID) -> list[Ranked]:
    """In the order in which they were published."""
    statement = (
        select(
            RankingItemRow.hospital_id,
            RankingItemRow.hospital,
            RankingItemRow.alliance,
            RankingItemRow.quota,
            RankingItemRow.issued,
            RankingItemRow.month_issued,
            RankingItemRow.rank,
            RankingItemRow.rank_change,
            RankingItemRow.flagged,
        )
        .where(RankingItemRow.edition_id == edition_id)
        .order_by(RankingItemRow.place)
    )
    return [
        Ranked(
            Standing(row.hospital_id, row.hospital, row.alliance, row.quota, row.issued, row.month_issued),
            row.rank,
            row.rank_change,
            row.flagged,
        )
        for row in await tx.execute(statement)
    ]


async def insert_edition(tx: Tx, header: dict[str, Any], ranked: Sequence[Ranked]) -> None:
    """Writes an edition with its lines. The caller holds the programme's lock."""
    await tx.execute(insert(RankingEditionRow).values(**header))
    rows = [
        {
            "edition_id": header["id"],
            "hospital_id": entry.standing.hospital_id,
            "place": place,
            "hospital": entry.standing.hospital,
            "alliance": entry.standing.alliance,
            "quota": entry.standing.quota,
            "month_issued": entry.standing.month_issued,
            "issued": entry.standing.issued,
            "rank": entry.rank,
            "rank_change": entry.rank_change,
            "flagged": entry.flagged,
        }
        for place, entry in enumerate(ranked)
    ]
    await tx.execute(insert(RankingItemRow), rows)


async def freeze_through(tx: Tx, programme_id: UUID, day: date) -> None:
    """From now on nothing is counted on or before this day. The caller holds the programme's lock."""
    await tx.execute(update(ProgrammeRow).where(ProgrammeRow.id == programme_id).values(frozen_through=day))
