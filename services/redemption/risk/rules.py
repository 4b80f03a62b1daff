"""Words of cases. Pure."""

from typing import Literal

CaseKind = Literal[
    "offline_conflict",
    "capacity",
    "burst",
    "hours",
    "amounts",
    "closed_group",
    "manual",
    "reversals",
    "jump",
    "wrong_codes",
]
CaseStatus = Literal["open", "decided"]
Decision = Literal["dismiss", "watch", "hold_settlement", "pause_terminal", "pause_institution"]

NOTE_MAX = 500
