"""Months are frozen in their order, and two editions are compared line by line."""

from datetime import date

import pytest

from services.quota.editions.rules import compared, first_open_month
from services.quota.rankings.rules import NO_LAST_RANKS, Standing, ranking

AUGUST, SEPTEMBER = date(2020, 8, 1), date(2020, 9, 1)


@pytest.mark.parametrize(
    ("frozen_through", "first_card", "starts_on", "following"),
    [
        (None, None, AUGUST, None),
        (None, date(2020, 9, 12), AUGUST, SEPTEMBER),
        (None, date(2019, 1, 5), AUGUST, AUGUST),
        (None, date(2020, 8, 5), None, AUGUST),
        (date(2020, 8, 31), date(2020, 8, 5), AUGUST, SEPTEMBER),
        (date(2020, 8, 31), None, AUGUST, SEPTEMBER),
    ],
)
def test_the_next_month_to_freeze_is_the_first_one_with_cards_or_behind_the_last_frozen_one(
    frozen_through: date | None, first_card: date | None, starts_on: date | None, following: date | None
) -> None:
    assert first_open_month(frozen_through, first_card, starts_on) == following


def test_a_comparison_names_what_differs_and_who_is_in_one_only() -> None:
    old = ranking([Standing("a", "甲", "", 10, 5, 5), Standing("b", "乙", "", 10, 3, 3)], NO_LAST_RANKS)
    new = ranking([Standing("a", "甲", "", 10, 5, 5), Standing("c", "丙", "", 10, 9, 9)], NO_LAST_RANKS)
    assert [(entry.hospital, entry.fields) for entry in compared(old, new)] == [
        ("丙", ("listed",)), ("甲", ("rank",)), ("乙", ("listed",)),
    ]  # fmt: skip
    assert compared(old, old) == []
