from collections.abc import Sequence
from random import Random

import pytest

from bench.load import Outcome
from bench.rows import Row, Void
from bench.scenes.arrivals import even, opening, polls, scattered
from bench.scenes.rush import WAITED, _Answers, last_in_time, over_all, pieces_of, stock_of
from bench.scenes.stage import WARM, require, shares_of_buckets
from shared.ids import BUCKETS


def test_tills_come_one_after_the_other_and_people_when_they_like() -> None:
    assert even(4, 2.0) == [0.0, 0.5, 1.0, 1.5]
    people = scattered(1_000, 2.0, Random(1))
    assert len(people) == 1_000
    assert people == sorted(people)
    assert 0 <= people[0] < people[-1] < 2.0
    assert people == scattered(1_000, 2.0, Random(1))


def test_an_opening_is_steep_in_its_first_second() -> None:
    due = opening(10_000, 10.0, 0.3, Random(1))
    assert len(due) == 10_000
    # The early ones, and their share of those who come at any time.
    assert sum(moment < 1 for moment in due) == pytest.approx(3_700, rel=0.05)
    assert due[-1] < 10.0


def test_every_dashboard_asks_for_everything_every_time() -> None:
    due = polls(dashboards=10, every=5.0, seconds=10.0, requests=[b"a", b"b"])
    assert len(due) == 10 * 2 * 2
    assert [at for at, _ in due] == sorted(at for at, _ in due)
    assert sum(at < 0.5 for at, _ in due) == 2


@pytest.mark.parametrize("vouchers", [1, 10_000, 1_000_000, 10_000_000])
def test_every_bucket_is_filled_once_and_no_statement_is_huge(vouchers: int) -> None:
    shares = list(shares_of_buckets(vouchers))
    assert [bucket for share in shares for bucket in share] == list(range(BUCKETS))
    assert all(len(share) * vouchers / BUCKETS <= 60_000 for share in shares)


def test_there_is_a_piece_of_something_for_everybody_who_won() -> None:
    popular, others = stock_of(20_000)
    assert popular == pieces_of(20_000) == 5_000
    assert popular + sum(others.values()) == 20_000 + WARM


@pytest.mark.parametrize(
    ("last_gone", "enough_came", "rate", "multiple"),
    [(1.0, 2.0, 5_000, 0.5), (3.0, 1.0, 2_500, 1.5), (3.0, 2.0, 5_000, 1.5)],
)
def test_pieces_may_last_as_long_as_arrivals_or_the_claim_rate_need(
    last_gone: float, enough_came: float, rate: float, multiple: float
) -> None:
    told = last_in_time(last_gone=last_gone, enough_came=enough_came, pieces=5_000, rate=rate)
    assert told == pytest.approx(multiple)


def test_who_is_told_to_come_again_comes_with_the_same_request() -> None:
    answers = _Answers([b"first", b"second"])
    assert answers.follow(1, 503, b"") == b"second"
    assert answers.follow(1, 429, b"") == b"second"
    assert answers.follow(1, 409, b"") is None
    assert answers.follow(0, 201, b"") is None
    assert {place: status for place, (status, _) in answers.ended.items()} == {1: 409, 0: 201}
    assert answers.again == {503: 1, 429: 1}


def test_of_several_rushes_the_worst_counts() -> None:
    (row,) = over_all([[_row(value)] for value in (1.2, 1.7, 1.1)])
    assert (row.value, row.low, row.high, row.reached) == (1.7, 1.1, 1.7, False)
    assert over_all([[_row(1.2)]]) == [_row(1.2)]


def _row(value: float) -> Row:
    return Row("rush", WAITED, "≤ 1.5", value, reached=value <= 1.5)


@pytest.mark.parametrize(("statuses", "lost"), [([201, 201, 409], 0), ([201, 201], 0), ([201, 201, 201], 1)])
def test_an_answer_that_was_not_due_makes_the_run_void(statuses: Sequence[int], lost: int) -> None:
    outcome = Outcome(lost_connections=lost)
    outcome.statuses.update(statuses)
    with pytest.raises(Void):
        require(outcome, {201}, 3, "write-off")
    allowed = Outcome()
    allowed.statuses.update([201, 503, 201])
    require(allowed, {201, 503}, 3, "draw")
