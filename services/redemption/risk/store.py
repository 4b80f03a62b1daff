"""SQL of cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from services.redemption.risk.tables import CaseRow
from shared.db import Tx
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Case:
    kind: str
    reference: str
    campaign_id: UUID
    institution_id: str
    terminal_id: str
    evidence: dict[str, Any]


async def open_cases(tx: Tx, cases: Sequence[Case], now: datetime) -> None:
    """Opens a case for each; what was reported before (same kind and reference) keeps its first one."""
    values = [
        {
            "id": new_id(),
            "kind": case.kind,
            "reference": case.reference,
            "campaign_id": case.campaign_id,
            "institution_id": case.institution_id,
            "terminal_id": case.terminal_id,
            "evidence": case.evidence,
            "opened_at": now,
        }
        for case in cases
    ]
    await tx.execute(insert(CaseRow).on_conflict_do_nothing(), values)


async def count_open(tx: Tx, campaigns: Sequence[UUID], institution_id: str | None) -> int:
    """Open cases of these campaigns, of one institution where it is named."""
    statement = select(func.count()).where(CaseRow.campaign_id.in_(campaigns), CaseRow.status == "open")
    if institution_id is not None:
        statement = statement.where(CaseRow.institution_id == institution_id)
    return (await tx.execute(statement)).scalar_one()
