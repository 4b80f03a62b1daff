"""From a scan to a used card, step by step. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

By = Literal["hospital", "code", "day"]

STEPS: Mapping[str, str] = {
    "scan": "scans",
    "scan_repeat": "scan_repeats",
    "scan_bot": "scan_bots",
    "card_landed": "landed",
    "card_applied": "applied",
    "card_code": "issued",
    "card_used_code": "used",
    "card_void_code": "void",
}


@dataclass(frozen=True, slots=True)
class Count:
    """A step's figure of a hospital's code on a day; empty: nobody's, or without a code."""

    hospital_id: str
    code: str
    day: date
    measure: str
    n: int


@dataclass(slots=True)
class Steps:
    """`issued` is net of cancellations."""

    scans: int = 0
    scan_repeats: int = 0
    scan_bots: int = 0
    landed: int = 0
    applied: int = 0
    issued: int = 0
    used: int = 0
    void: int = 0

    @property
    def effective(self) -> int:
        return self.issued - self.void


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """What a line is about; None: all of them."""

    hospital_id: str | None
    code: str | None
    day: date | None


def funnel(counts: Iterable[Count], by: By) -> dict[Line, Steps]:
    """Lines add up to the same totals whichever way they are cut."""
    lines: dict[Line, Steps] = {}
    for count in counts:
        line = _line(count, by)
        steps = lines.setdefault(line, Steps())
        name = STEPS[count.measure]
        setattr(steps, name, getattr(steps, name) + count.n)
    return lines


def _line(count: Count, by: By) -> Line:
    if by == "day":
        return Line(None, None, count.day)
    return Line(count.hospital_id, count.code if by == "code" else None, None)
