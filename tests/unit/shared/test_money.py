from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.money import PPM, split_fen, split_within, yuan

AMOUNTS = st.integers(0, 10**15)


@st.composite
def shares(draw: st.DrawFn) -> list[int]:
    """Parts per million that add up to one million, for one to eight payers."""
    cuts = sorted(draw(st.lists(st.integers(0, PPM), max_size=7)))
    return [after - before for before, after in zip([0, *cuts], [*cuts, PPM], strict=True)]


@given(amount=AMOUNTS, parts=shares())
def test_parts_add_up_to_the_fen(amount: int, parts: list[int]) -> None:
    assert sum(split_fen(amount, parts)) == amount


@given(amount=AMOUNTS, parts=shares())
def test_each_part_is_its_exact_share_rounded_one_way_or_the_other(amount: int, parts: list[int]) -> None:
    for fen, part in zip(split_fen(amount, parts), parts, strict=True):
        exact = Decimal(amount) * part / PPM
        assert int(exact) <= fen <= int(exact) + 1
        assert part or not fen


@given(amount=AMOUNTS, count=st.integers(1, 8))
def test_equal_shares_differ_by_a_fen_and_the_first_listed_gets_it(amount: int, count: int) -> None:
    parts = [PPM // count + (1 if payer < PPM % count else 0) for payer in range(count)]
    split = split_fen(amount, parts)
    if len(set(parts)) == 1:
        assert split == sorted(split, reverse=True)
        assert max(split) - min(split) <= 1


@pytest.mark.parametrize(
    ("amount", "parts", "split"),
    [
        (100, [333_334, 333_333, 333_333], [34, 33, 33]),
        (1, [500_000, 500_000], [1, 0]),
        (3, [400_000, 200_000, 200_000, 200_000], [1, 1, 1, 0]),
        (30_000, [400_000, 200_000, 200_000, 200_000], [12_000, 6_000, 6_000, 6_000]),
        (0, [1_000_000], [0]),
    ],
)
def test_split_by_largest_remainder(amount: int, parts: list[int], split: list[int]) -> None:
    assert split_fen(amount, parts) == split


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (0, "0.00"),
        (1, "0.01"),
        (123_456, "1,234.56"),
        (-5, "-0.05"),
        (10**17 + 1, "1,000,000,000,000,000.01"),
    ],
)
def test_yuan_have_two_decimals_and_no_rounding(fen: int, text: str) -> None:
    assert yuan(fen) == text


@given(st.integers(-(2**63), 2**63 - 1))
def test_yuan_lose_no_fen(fen: int) -> None:
    assert Decimal(yuan(fen).replace(",", "")) * 100 == fen


@given(amount=AMOUNTS, rest=AMOUNTS, parts=shares())
def test_nobody_pays_more_of_a_part_than_was_set_aside_for_the_whole(
    amount: int, rest: int, parts: list[int]
) -> None:
    whole = split_fen(amount + rest, parts)
    paid = split_within(amount, parts, whole)
    assert sum(paid) == amount
    assert all(0 <= fen <= have for fen, have in zip(paid, whole, strict=True))
    plain = split_fen(amount, parts)
    assert max(abs(fen - other) for fen, other in zip(paid, plain, strict=True)) <= len(parts)
    if all(fen <= have for fen, have in zip(plain, whole, strict=True)):
        assert paid == plain


def test_a_fen_that_rounds_up_for_a_payer_who_has_not_set_it_aside_is_paid_by_another() -> None:
    """49.99 yuan on a voucher of 50.00 for the shares of a long story of settlements."""
    shares_ppm = [333_334, 333_333, 200_000, 133_333]
    odd = [
        bill
        for bill in range(1, 5_000)
        if any(
            part > have
            for part, have in zip(split_fen(bill, shares_ppm), split_fen(5_000, shares_ppm), strict=True)
        )
    ]
    assert odd
    for bill in odd:
        paid = split_within(bill, shares_ppm, split_fen(5_000, shares_ppm))
        assert sum(paid) == bill
        assert all(fen <= have for fen, have in zip(paid, split_fen(5_000, shares_ppm), strict=True))
