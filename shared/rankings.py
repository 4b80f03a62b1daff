"""What every monthly ranking shares: months, ranks with ties, and that a month is frozen after its end."""

import re
from collections.abc import Hashable, Mapping
from datetime import date, timedelta
from typing import Any, TypeVar

from shared.errors import Refusal

K = TypeVar("K", bound=Hashable)

_MONTH = re.compile(r"(\d{4})-(\d{2})")


class MonthNotOver(Refusal):
    code = "month_not_over"
    zh = "该月尚未结束，不能冻结排名。"
    en = "The month is not over yet; its ranking cannot be frozen."


def parse_month(text: str) -> date | None:
    """The first day of a month given as YYYY-MM."""
    found = _MONTH.fullmatch(text)
    try:
        return date(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        return None


def month_of(day: date) -> tuple[date, date]:
    """The first and the last day of a day's month."""
    first = day.replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return first, following - timedelta(days=1)


def competition_ranks(values: Mapping[K, Any]) -> dict[K, int]:
    """The greatest value is first; equal ones share a rank, and the next rank skips."""
    first_place: dict[Any, int] = {}
    for place, value in enumerate(sorted(values.values(), reverse=True), start=1):
        first_place.setdefault(value, place)
    return {key: first_place[value] for key, value in values.items()}
