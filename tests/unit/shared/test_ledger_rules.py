"""Who puts up how much: sums are kept to the fen, and nobody lacks its part of a voucher."""

from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.rules import needed_fen, shared_out, taken_back, topped_up
from shared.money import split_fen

PAYERS = 3

fen = st.integers(0, 10**12)
amounts = st.lists(fen, min_size=PAYERS, max_size=PAYERS)
pieces = st.dictionaries(st.integers(1, 100_000), st.integers(0, 100_000), max_size=5)


@st.composite
def shares(draw: st.DrawFn) -> list[int]:
    one, other = sorted(draw(st.lists(st.integers(0, 1_000_000), min_size=2, max_size=2)))
    return [one, other - one, 1_000_000 - other]


@given(pieces, shares(), amounts)
def test_a_payer_needs_its_part_of_every_single_voucher(
    pieces: dict[int, int], shares: list[int], reserved: list[int]
) -> None:
    needed = needed_fen(pieces, shares, reserved)
    assert sum(needed) == sum(price * count for price, count in pieces.items()) + sum(reserved)
    for payer in range(PAYERS):
        parts = (count * split_fen(price, shares)[payer] for price, count in pieces.items())
        assert needed[payer] == reserved[payer] + sum(parts)


def test_parts_of_single_vouchers_are_not_the_part_of_their_sum() -> None:
    """So a payer with a third of everything needs more than a third of the budget."""
    thirds = [333_334, 333_333, 333_333]
    assert needed_fen({100: 10_000}, thirds, [0, 0, 0]) == [340_000, 330_000, 330_000]
    assert split_fen(1_000_000, thirds) == [333_334, 333_333, 333_333]
    assert shared_out(1_000_000, [340_000, 330_000, 330_000], thirds) == [340_000, 330_000, 330_000]


@given(amounts, fen, shares())
def test_a_total_is_shared_out_to_the_fen_and_covers_what_is_needed(
    needed: list[int], more: int, shares: list[int]
) -> None:
    out = shared_out(sum(needed) + more, needed, shares)
    assert sum(out) == sum(needed) + more
    assert all(part >= need for part, need in zip(out, needed, strict=True))


@given(amounts, amounts, fen, shares())
def test_what_is_taken_back_leaves_everybody_what_is_needed(
    needed: list[int], free: list[int], amount: int, shares: list[int]
) -> None:
    available = [need + more for need, more in zip(needed, free, strict=True)]
    taken = taken_back(amount, available, needed, shares)
    if amount > sum(free):
        assert taken is None
        return
    assert taken is not None
    assert sum(taken) == amount
    assert all(0 <= part <= most for part, most in zip(taken, free, strict=True))
    by_shares = split_fen(amount, shares)
    if all(part <= most for part, most in zip(by_shares, free, strict=True)):
        assert taken == by_shares


@given(amounts, amounts)
def test_topping_up_keeps_the_sum_and_covers_everybody(available: list[int], needed: list[int]) -> None:
    if sum(needed) > sum(available):
        return
    topped = topped_up(available, needed)
    assert sum(topped) == sum(available)
    assert all(have >= need for have, need in zip(topped, needed, strict=True))
    if all(have >= need for have, need in zip(available, needed, strict=True)):
        assert topped == available
