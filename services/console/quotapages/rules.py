"""Words and the order of things on the pages of card programmes. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

METHODS = (
    ("largest_remainder", "最大余额法（合计必等于总数）", "largest remainder (adds up exactly)"),
    ("round_each", "逐家四舍五入", "each one rounded"),
)
VISITS = "visits"


def basis_choices(bases: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Value, Chinese, English; the visits are called as people call them."""
    return [
        (one["basis"], "诊疗人次", "visits") if one["basis"] == VISITS else (one["basis"],) * 3
        for one in bases
    ]


def permille(rate: str | None) -> int:
    """Of a rate as the services write it, for a drawing."""
    return 0 if rate is None else int(Decimal(rate) * 1000)


def points(lead: str | None) -> str:
    """A lead over the calendar in percentage points, with its sign."""
    return "–" if lead is None else f"{Decimal(lead) * 100:+.1f}"


def behind(lead: str | None) -> bool:
    return lead is not None and Decimal(lead) < 0
