"""Ranks are competition ranks of exact rates; flagged are the last three that missed their quota."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quota.rankings.rules import NO_LAST_RANKS, LastRanks, Ranked, Standing, last_ranks, ranking
from shared.rankings import parse_month


def standings(*figures: tuple[int, int]) -> list[Standing]:
    """Hospitals a, b, c … with (quota, issued)."""
    return [
        Standing(chr(97 + place), chr(65 + place), "", quota, issued, 0)
        for place, (quota, issued) in enumerate(figures)
    ]


def told(ranked: list[Ranked]) -> list[tuple[str, int | None, bool]]:
    return [(entry.standing.hospital_id, entry.place.rank, entry.place.flagged) for entry in ranked]


def test_equal_rates_share_a_rank_and_the_next_rank_skips() -> None:
    ranked = ranking(standings((10, 5), (20, 10), (10, 9), (10, 1)), NO_LAST_RANKS)
    assert [(entry.standing.hospital_id, entry.place.rank) for entry in ranked] == [
        ("c", 1), ("a", 2), ("b", 2), ("d", 4),
    ]  # fmt: skip


def test_the_last_three_are_flagged_when_they_missed_their_quota() -> None:
    ranked = ranking(standings((10, 9), (10, 8), (10, 7), (10, 6), (10, 5)), NO_LAST_RANKS)
    assert told(ranked) == [
        ("a", 1, False), ("b", 2, False), ("c", 3, True), ("d", 4, True), ("e", 5, True),
    ]  # fmt: skip


def test_a_hospital_that_met_its_quota_is_never_flagged() -> None:
    ranked = ranking(standings((10, 12), (10, 11), (10, 10), (10, 9)), NO_LAST_RANKS)
    assert [entry.standing.hospital_id for entry in ranked if entry.place.flagged] == ["d"]


def test_all_that_tie_at_the_end_are_flagged() -> None:
    ranked = ranking(standings((10, 9), *[(10, 0)] * 5), NO_LAST_RANKS)
    assert [entry.place.flagged for entry in ranked] == [False, True, True, True, True, True]


def test_a_tie_that_has_three_below_it_is_not_flagged() -> None:
    ranked = ranking(standings((10, 5), (10, 5), (10, 3), (10, 2), (10, 1)), NO_LAST_RANKS)
    assert [entry.place.flagged for entry in ranked] == [False, False, True, True, True]


def test_rates_are_compared_exactly_not_as_printed() -> None:
    ranked = ranking(standings((3_000_000_000, 1_000_000_000), (3_000_000_001, 1_000_000_000)), NO_LAST_RANKS)
    assert [entry.place.rank for entry in ranked] == [1, 2]


def test_without_a_quota_nobody_is_ranked_or_flagged() -> None:
    ranked = ranking(standings((0, 5), (10, 0)), NO_LAST_RANKS)
    assert told(ranked) == [("b", 1, True), ("a", None, False)]


def test_rank_change_is_how_far_a_hospital_rose() -> None:
    ranked = ranking(standings((10, 9), (10, 5), (10, 1)), LastRanks({"a": 3, "b": 1}, {}))
    assert {entry.standing.hospital_id: entry.place.rank_change for entry in ranked} == {
        "a": 2,
        "b": -1,
        "c": None,
    }


def of_levels(*figures: tuple[str, int]) -> list[Standing]:
    """Hospitals a, b, c … with (level, issued of ten)."""
    return [
        Standing(chr(97 + place), chr(65 + place), "", 10, issued, 0, level)
        for place, (level, issued) in enumerate(figures)
    ]


def test_within_a_level_only_its_own_hospitals_count() -> None:
    ranked = ranking(
        of_levels(("县", 9), ("镇", 8), ("县", 5), ("镇", 5), ("镇", 4), ("镇", 3)), NO_LAST_RANKS
    )
    told = {
        entry.standing.hospital_id: (entry.place.rank, entry.in_level.rank, entry.in_level.flagged)
        for entry in ranked
    }
    assert told == {
        "a": (1, 1, True), "b": (2, 1, False), "c": (3, 2, True), "d": (3, 2, True), "e": (5, 3, True),
        "f": (6, 4, True),
    }  # fmt: skip


def test_who_changed_its_level_has_no_rank_to_compare_with_there() -> None:
    last = last_ranks(of_levels(("县", 9), ("镇", 8), ("镇", 5)))
    ranked = ranking(of_levels(("县", 1), ("县", 8), ("镇", 5)), last)
    changes = {
        entry.standing.hospital_id: (entry.place.rank_change, entry.in_level.rank_change) for entry in ranked
    }
    assert changes == {"a": (-2, -1), "b": (1, None), "c": (1, 1)}


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 60)), min_size=1, max_size=26))
def test_flags_follow_the_rule_word_for_word(figures: list[tuple[int, int]]) -> None:
    ranked = ranking(standings(*figures), NO_LAST_RANKS)
    for entry in ranked:
        if entry.place.rank is None:
            assert not entry.place.flagged
            continue
        below = sum(
            1 for other in ranked if other.place.rank is not None and other.place.rank > entry.place.rank
        )
        above = sum(
            1 for other in ranked if other.place.rank is not None and other.place.rank < entry.place.rank
        )
        assert entry.place.rank == above + 1
        assert entry.place.flagged == (entry.standing.issued < entry.standing.quota and below < 3)


@pytest.mark.parametrize(
    "text", ["2020-13", "2020-1", "2020", "202008", "2020-08-01", "0000-01", "", "二〇二〇-08"]
)
def test_what_is_no_month_is_none(text: str) -> None:
    assert parse_month(text) is None


def test_a_month_is_its_first_day() -> None:
    assert parse_month("2020-08") == date(2020, 8, 1)
