"""What was let go, what comes next, and how long the rest lasts."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.issuance.phases.rules import Release
from services.issuance.stock.rules import Shelf, pace_of
from shared.clock import CHINA

OPENS = datetime(2020, 11, 1, 11, tzinfo=CHINA)
CLOSES = OPENS + timedelta(days=10)
DAY = timedelta(days=1)
WHOLE = Shelf(OPENS, CLOSES, put_in=10, remaining=10, release=None)
DAILY = replace(WHOLE, release=Release(OPENS, CLOSES, 86_400, 3))


def test_without_a_plan_everything_is_let_go_at_the_opening() -> None:
    assert (WHOLE.released(OPENS - DAY), WHOLE.released(OPENS)) == (0, 10)
    assert WHOLE.next_release(OPENS - DAY) == (OPENS, 10)
    assert WHOLE.next_release(OPENS) is None


def test_a_plan_lets_go_step_by_step_and_the_last_step_is_the_rest() -> None:
    assert DAILY.next_release(OPENS - DAY) == (OPENS, 3)
    assert (DAILY.released(OPENS), DAILY.next_release(OPENS)) == (3, (OPENS + DAY, 3))
    assert DAILY.next_release(OPENS + 2 * DAY) == (OPENS + 3 * DAY, 1)
    assert (DAILY.released(OPENS + 3 * DAY), DAILY.next_release(OPENS + 3 * DAY)) == (10, None)


def test_what_a_plan_did_not_reach_is_let_go_at_the_closing() -> None:
    slow = replace(WHOLE, release=Release(OPENS, CLOSES, 86_400 * 6, 1))
    assert slow.next_release(OPENS) == (OPENS + 6 * DAY, 1)
    assert slow.next_release(OPENS + 7 * DAY) == (CLOSES, 8)
    assert (slow.released(CLOSES), slow.next_release(CLOSES)) == (10, None)


def test_pace_is_that_of_the_last_week_or_since_the_opening() -> None:
    assert WHOLE.counted_since(OPENS + 2 * DAY) == OPENS
    assert WHOLE.counted_since(OPENS + 9 * DAY) == OPENS + 2 * DAY
    pace = pace_of(replace(WHOLE, remaining=6), 4, OPENS + 2 * DAY)
    assert pace is not None
    assert (pace.per_day, pace.days_left, pace.used_up_at) == (
        Decimal("2.0"),
        Decimal("3.0"),
        OPENS + 5 * DAY,
    )


def test_no_pace_is_told_when_it_would_say_nothing() -> None:
    for moment in (OPENS - DAY, OPENS + timedelta(minutes=59), CLOSES):
        assert pace_of(WHOLE, 5, moment) is None
    idle = pace_of(WHOLE, 0, OPENS + DAY)
    assert idle is not None
    assert (idle.per_day, idle.days_left, idle.used_up_at) == (Decimal("0.0"), None, None)


@given(
    st.integers(0, 10**6),
    st.integers(1, 10**5),
    st.sampled_from([3600, 86_400]),
    st.integers(-(10**6), 2 * 10**6),
)
def test_what_comes_next_is_what_is_let_go_then(put_in: int, amount: int, step: int, second: int) -> None:
    shelf = Shelf(OPENS, CLOSES, put_in, put_in, Release(OPENS, CLOSES, step, amount))
    now = OPENS + timedelta(seconds=second)
    following = shelf.next_release(now)
    if following is None:
        assert shelf.released(now) == put_in or now >= CLOSES
    else:
        moment, pieces = following
        assert moment > now
        assert shelf.released(moment) - shelf.released(now) == pieces
        assert shelf.released(moment - timedelta(seconds=1)) in {shelf.released(now), 0}
