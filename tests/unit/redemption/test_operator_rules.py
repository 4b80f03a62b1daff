"""Operators' totals add up to the whole; a terminal without operators is told."""

from hypothesis import given
from hypothesis import strategies as st

from services.redemption.operators.rules import operator_totals, unattended

lines = st.lists(st.tuples(st.none() | st.sampled_from(("c1", "c2", "c3")), st.integers(-500, 500)))


@given(lines)
def test_totals_are_the_recount_and_nobody_comes_last(lines: list[tuple[str | None, int]]) -> None:
    totals = operator_totals(lines)
    if totals is None:
        assert not any(operator for operator, _ in lines)
        return
    assert any(operator for operator, _ in lines)
    assert sum(one.count for one in totals) == len(lines)
    assert sum(one.fen for one in totals) == sum(fen for _, fen in lines)
    names = [one.operator for one in totals]
    assert len(set(names)) == len(names)
    assert names == sorted(one for one in names if one) + [None] * names.count(None)
    for one in totals:
        own = [fen for operator, fen in lines if operator == one.operator]
        assert (one.count, one.fen) == (len(own), sum(own))


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=3), max_size=4))
def test_terminals_where_nobody_works(lists: list[list[str]]) -> None:
    without = unattended("abcd", lists)
    for terminal in "abcd":
        works = any(not one or terminal in one for one in lists)
        assert (terminal in without) is not works
