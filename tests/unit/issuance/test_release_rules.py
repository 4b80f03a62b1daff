"""The arithmetic of release plans, and of what is carried over."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.issuance.phases.rules import Release, Unspent, carried_expired, carried_unspent
from shared.money import split_fen

OPENS = datetime(2020, 11, 1, 3, tzinfo=UTC)
CLOSES = OPENS + timedelta(days=10)
DAILY = Release(OPENS, CLOSES, 86_400, 5)

releases = st.builds(
    Release,
    opens_at=st.just(OPENS),
    closes_at=st.integers(1, 30 * 86_400).map(lambda seconds: OPENS + timedelta(seconds=seconds)),
    step_seconds=st.sampled_from([3600, 86_400]),
    amount=st.integers(1, 1000),
)
moments = st.integers(-86_400_000_000, 40 * 86_400_000_000).map(
    lambda microseconds: OPENS + timedelta(microseconds=microseconds)
)
counts = st.integers(0, 10_000)


def test_so_many_are_released_at_the_opening_and_as_many_at_each_step() -> None:
    step = timedelta(days=1)
    moment = timedelta(microseconds=1)
    assert [
        DAILY.released(at)
        for at in (OPENS - moment, OPENS, OPENS + step - moment, OPENS + step, CLOSES - moment)
    ] == [0, 5, 5, 10, 50]
    assert DAILY.released(CLOSES) is None


def test_what_is_not_taken_accumulates() -> None:
    third_day = OPENS + timedelta(days=2, hours=1)
    assert DAILY.claimable(remaining=100, issued=0, at=third_day) == 15
    assert DAILY.claimable(remaining=88, issued=12, at=third_day) == 3
    assert DAILY.claimable(remaining=2, issued=0, at=third_day) == 2


def test_the_next_release_is_told_only_while_nothing_can_be_claimed() -> None:
    assert DAILY.next_at(issued=4, at=OPENS) is None
    assert DAILY.next_at(issued=5, at=OPENS) == OPENS + timedelta(days=1)
    assert DAILY.next_at(issued=0, at=OPENS - timedelta(hours=1)) == OPENS
    assert DAILY.next_at(issued=50, at=CLOSES - timedelta(hours=1)) == CLOSES
    assert DAILY.next_at(issued=50, at=CLOSES) is None


@given(releases, counts, counts, moments, moments)
def test_what_is_claimable_never_shrinks_with_time_and_never_exceeds_what_remains(
    release: Release, remaining: int, issued: int, one: datetime, other: datetime
) -> None:
    earlier, later = sorted((one, other))
    before, after = (release.claimable(remaining, issued, at) for at in (earlier, later))
    assert 0 <= before <= after <= remaining


@given(releases, st.integers(1, 10_000), counts, moments)
def test_at_the_next_release_more_can_be_claimed_and_not_a_moment_before(
    release: Release, remaining: int, issued: int, at: datetime
) -> None:
    moment = release.next_at(issued, at)
    if release.claimable(remaining, issued, at):
        assert moment is None
    elif at < release.closes_at:
        assert moment is not None
        assert moment > at
        assert release.claimable(remaining, issued, moment) > 0
        assert release.claimable(remaining, issued, moment - timedelta(microseconds=1)) == 0


@given(releases, counts, st.integers(0, 50), moments)
def test_claims_leave_what_a_plan_holds_back_as_it_is(
    release: Release, remaining: int, claimed: int, at: datetime
) -> None:
    """Draws are counted against it while claims go on: neither waits for the other."""
    claimed = min(claimed, release.claimable(remaining, 0, at))
    held_back = remaining - release.claimable(remaining, 0, at)
    assert remaining - claimed - release.claimable(remaining - claimed, claimed, at) == held_back


stocks = st.lists(
    st.builds(
        lambda place, amount, remaining, expired, returned: Unspent(
            f"type_{place}", amount, remaining, expired, min(returned, expired)
        ),
        st.integers(0, 10_000_000),
        st.integers(1, 100_000),
        st.integers(0, 500),
        st.integers(0, 500),
        st.integers(0, 500),
    ),
    max_size=6,
    unique_by=lambda entry: entry.voucher_type,
)


@given(stocks, st.integers(0, 1000))
def test_unspent_stock_is_carried_over_as_far_as_open_awards_allow(
    stock: list[Unspent], left_to_award: int
) -> None:
    carried = carried_unspent(stock, left_to_award)
    remaining = {entry.voucher_type: entry.remaining for entry in stock}
    assert all(0 < pieces <= remaining[key] for key, pieces in carried.items())
    assert sum(carried.values()) == min(left_to_award, sum(remaining.values()))


@st.composite
def shares(draw: st.DrawFn) -> list[int]:
    cuts = sorted(draw(st.lists(st.integers(0, 1_000_000), min_size=1, max_size=4)))
    return [after - before for before, after in zip([0, *cuts], [*cuts, 1_000_000], strict=True)]


@given(stocks, shares(), shares())
def test_no_payer_bears_more_for_carried_over_stock_than_it_got_back(
    stock: list[Unspent], old: list[int], new: list[int]
) -> None:
    payers = max(len(old), len(new))
    old, new = [part + [0] * (payers - len(part)) for part in (old, new)]
    back = {
        entry.voucher_type: [
            (entry.expired - entry.returned) * part for part in split_fen(entry.amount_fen, old)
        ]
        for entry in stock
    }
    amounts = {entry.voucher_type: entry.amount_fen for entry in stock}
    for key, pieces in carried_expired(stock, back, new).items():
        costs = [pieces * part for part in split_fen(amounts[key], new)]
        assert all(cost <= had for cost, had in zip(costs, back[key], strict=True))
    same = carried_expired(stock, back, old)
    assert same == {e.voucher_type: e.expired - e.returned for e in stock if e.expired > e.returned}
