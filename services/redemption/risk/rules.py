"""What a case is, and its words. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

CaseKind = Literal[
    "offline_conflict",
    "capacity",
    "burst",
    "hours",
    "amounts",
    "closed_group",
    "shared_device",
    "shared_address",
    "manual",
    "reversals",
    "jump",
    "wrong_codes",
]
CaseStatus = Literal["open", "decided"]
Decision = Literal["dismiss", "watch", "hold_settlement", "pause_terminal", "pause_institution"]

NOTE_MAX = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """A case as staff see it; `count` is how many write-offs are its evidence."""

    id: UUID
    kind: CaseKind
    status: CaseStatus
    campaign: str
    institution_id: str
    institution: str
    terminal_id: str | None
    score: int | None
    suggested: Decision | None
    first: date | None
    last: date | None
    evidence: dict[str, Any]
    opened_at: datetime
    decided_at: datetime | None
    decided_by: UUID | None
    decision: Decision | None
    note: str | None
    count: int
    terminal: str | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    campaign_id: UUID | None = None
    institution_id: str | None = None
    status: CaseStatus | None = None
    kind: CaseKind | None = None
    decision: Decision | None = None
