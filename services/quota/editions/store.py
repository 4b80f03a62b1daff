from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update

from services.quota.programmes.tables import ProgrammeRow
from services.quota.rankings.rules import Ranked
from services.quota.rankings.store import line
from services.quota.rankings.tables import RankingEditionRow, RankingItemRow
from shared.db import Tx


async def insert_edition(tx: Tx, header: dict[str, Any], ranked: Sequence[Ranked]) -> None:
    """Writes an edition with its lines. The caller holds the programme's lock."""
    await tx.execute(insert(RankingEditionRow).values(**header))
    rows = [line(place, header["id"], entry) for place, entry in enumerate(ranked)]
    await tx.execute(insert(RankingItemRow), rows)


async def freeze_through(tx: Tx, programme_id: UUID, day: date) -> None:
    """From now on nothing is counted on or before this day. The caller holds the programme's lock."""
    await tx.execute(update(ProgrammeRow).where(ProgrammeRow.id == programme_id).values(frozen_through=day))
