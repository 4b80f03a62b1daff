"""How a forecast is drawn, and what the planner's form says of it. Pure; the forecast is the service's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from services.console.campaignpages.rules import number_of, percent_of, rate_of

# What can be drawn for each day: (key of the forecast, Chinese, English).
CHARTS = (
    ("money_fen", "每日金额（元）", "Money a day (yuan)"),
    ("wins", "每日中奖", "Wins a day"),
    ("issued", "每日发放", "Vouchers a day"),
    ("attempts", "每日答题", "Attempts a day"),
)
# Rows of the forecast's table that count; money stands below them.
COUNTS = (
    ("attempts", "答题", "Attempts"),
    ("passes", "合格", "Passes"),
    ("chances", "抽奖机会", "Chances"),
    ("draws", "抽奖", "Draws"),
    ("wins", "中奖", "Wins"),
)
DAYS_DEFAULT = 14
DAYS_SHOWN_MAX = 60
_WIDTH, _HEIGHT = 600, 160


@dataclass(frozen=True, slots=True)
class Drawing:
    """Points of an SVG of 600 × 160: the band as a closed shape, the median as a line."""

    band: str
    median: str
    most: int


def drawing(daily: Sequence[Mapping[str, Any]], key: str) -> Drawing:
    figures = [day[key] for day in daily]
    most = max((figure["p95"] for figure in figures), default=0)
    step = Decimal(_WIDTH) / max(1, len(figures) - 1)

    def points(quantile: str) -> list[str]:
        return [
            f"{place * step:.1f},{_HEIGHT - (Decimal(figure[quantile]) * _HEIGHT / most if most else 0):.1f}"
            for place, figure in enumerate(figures)
        ]

    return Drawing(" ".join([*points("p95"), *reversed(points("p05"))]), " ".join(points("median")), most)


def date_of(first_day: str, day: int | None) -> str | None:
    """Of a day of the plan, counted from 1; none where it is not within the plan."""
    return None if day is None else (date.fromisoformat(first_day) + timedelta(days=day - 1)).isoformat()


def plan_of(phase: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, str]:
    """What the form shows: what was typed, else what is in force."""
    return {
        "days": typed.get("days") or str(DAYS_DEFAULT),
        "odds": typed.get("odds") or percent_of(phase["odds"]),
        "pass_score": typed.get("pass_score") or str(phase["quiz"]["pass_score"]),
        "daily_attempts": typed.get("daily_attempts", ""),
    }


def call_of(seq: int, plan: Mapping[str, str]) -> dict[str, Any]:
    """The body of the call; attempts that are left out are as the data say."""
    body: dict[str, Any] = {
        "phase": seq,
        "days": number_of(plan["days"]),
        "odds": rate_of(plan["odds"]),
        "pass_score": number_of(plan["pass_score"]),
    }
    attempts = number_of(plan["daily_attempts"])
    return body if attempts is None else {**body, "daily_attempts": attempts}
