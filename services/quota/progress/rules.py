"""How far a hospital is, and how fast it must go. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

# Rates are answered with six decimals; ranks compare the exact fractions.
_RATE_DECIMALS = Decimal("0.000001")
# Long enough to even out weekends and a campaign day, short enough to notice that a hospital stopped.
PACE_DAYS = 30
_FORECAST_DAYS_MAX = 36_500


@dataclass(frozen=True, slots=True)
class Figures:
    """Cards counted for a hospital (or without one): all, in a month, and in the days of the pace."""

    issued: int = 0
    used: int = 0
    month_issued: int = 0
    pace_issued: int = 0
    void: int = 0

    @property
    def effective(self) -> int:
        """Issued without cards of confirmed cases of stuffing that nobody used."""
        return self.issued - self.void


@dataclass(frozen=True, slots=True)
class Sum:
    """What some hospitals add up to."""

    quota: int = 0
    issued: int = 0
    used: int = 0
    effective: int = 0
    month_issued: int = 0


def sum_of(entries: Iterable[tuple[int, Figures]]) -> Sum:
    """Of quotas, each with its figures."""
    listed = list(entries)
    return Sum(
        quota=sum(quota for quota, _ in listed),
        issued=sum(figures.issued for _, figures in listed),
        used=sum(figures.used for _, figures in listed),
        effective=sum(figures.effective for _, figures in listed),
        month_issued=sum(figures.month_issued for _, figures in listed),
    )


def rate(issued: int, quota: int | None) -> Decimal | None:
    """Issued ÷ quota, half up; nothing to compare with when there is no quota."""
    if not quota:
        return None
    return (Decimal(issued) / Decimal(quota)).quantize(_RATE_DECIMALS, rounding=ROUND_HALF_UP)


def lead(done: Decimal | None, passed: Decimal | None) -> Decimal | None:
    """How far the share of the quota is ahead of the share of the time (below zero: behind)."""
    return None if done is None or passed is None else done - passed


def first_day_of(issued_before_until: str | None, first_card: date | None) -> date | None:
    """The day on which a programme's time begins."""
    if issued_before_until is not None:
        return date.fromisoformat(issued_before_until) + timedelta(days=1)
    return first_card


def needed_per_day(quota: int | None, issued: int, *, today: date, ends_on: date | None) -> int | None:
    """Cards a day, from today until the end, to reach the quota; None without an end or after it."""
    if quota is None or ends_on is None or ends_on < today:
        return None
    days = (ends_on - today).days + 1
    return -(-max(0, quota - issued) // days)


def forecast_date(
    quota: int | None, issued: int, *, pace_issued: int, pace_days: int, today: date
) -> date | None:
    """When the quota is reached at the recent pace; None when it is reached, or never would be."""
    if quota is None or issued >= quota or pace_issued <= 0 or pace_days <= 0:
        return None
    days = Fraction(quota - issued) / Fraction(pace_issued, pace_days)
    whole = -(-days.numerator // days.denominator)
    return today + timedelta(days=whole) if whole <= _FORECAST_DAYS_MAX else None


def pace_days(first_day: date | None, today: date) -> int:
    """Over how many days the pace is taken: fewer while the programme is young."""
    if first_day is None or first_day > today:
        return 0
    return min(PACE_DAYS, (today - first_day).days + 1)
