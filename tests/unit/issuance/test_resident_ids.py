"""GB 11643 numbers are checked in a fixed order of faults, and masked so that little is left."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.accounts.rules import masked_id_number, masked_name
from shared.identity.errors import IdNumberInvalid
from shared.identity.persons import resident_id
from tests.support.people import resident_id as made

TODAY = date(2020, 11, 1)
# The example of GB 11643 itself.
EXAMPLE = "11010519491231002X"


def fault_of(number: str) -> str:
    with pytest.raises(IdNumberInvalid) as refused:
        resident_id(number, TODAY)
    return refused.value.faults[0].code


def test_the_example_of_the_standard_is_valid_in_either_case() -> None:
    assert resident_id(EXAMPLE, TODAY) == EXAMPLE
    assert resident_id(f" {EXAMPLE.lower()} ", TODAY) == EXAMPLE


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("", "length"),
        (EXAMPLE[:-1], "length"),
        (EXAMPLE + "1", "length"),
        ("110105491231002", "length"),
        ("1101051949123100XX", "characters"),
        ("11010519491231002Y", "characters"),
        ("１１010519491231002X", "characters"),
        ("110105194912310 2X", "characters"),
        ("110105194902290021", "date"),
        ("110105000001010021", "date"),
        ("110105202011020027", "date"),
        ("110105194913310021", "date"),
        ("110105194912310020", "check_digit"),
        ("010105194912310021", "check_digit"),
    ],
)
def test_the_first_fault_is_named(number: str, code: str) -> None:
    assert fault_of(number) == code


def test_somebody_born_today_is_not_from_the_future() -> None:
    assert resident_id("110105202011010027", TODAY)


@given(number=st.integers(0, 14_000_000))
def test_every_well_formed_number_is_accepted(number: int) -> None:
    assert resident_id(made(number), TODAY) == made(number)


@given(number=st.integers(0, 14_000_000), place=st.integers(0, 17), digit=st.sampled_from("0123456789"))
def test_every_single_wrong_digit_is_found(number: int, place: int, digit: str) -> None:
    right = made(number)
    wrong = right[:place] + digit + right[place + 1 :]
    if wrong != right:
        assert fault_of(wrong) in {"date", "check_digit"}


@given(number=st.integers(0, 14_000_000), place=st.integers(0, 16))
def test_every_swap_of_neighbours_is_found(number: int, place: int) -> None:
    right = made(number)
    wrong = right[:place] + right[place + 1] + right[place] + right[place + 2 :]
    if wrong != right:
        assert fault_of(wrong) in {"characters", "date", "check_digit"}


def test_masked_number_hides_the_date_of_birth() -> None:
    assert masked_id_number(EXAMPLE) == "110***********002X"


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("王明", "王*"),
        ("王小明", "王**"),
        ("欧阳娜", "欧阳*"),
        ("司马相如", "司马**"),
        ("欧阳", "欧*"),
        ("阿依古丽·买买提", "阿*******"),
    ],
)
def test_masked_name_keeps_the_surname_only(name: str, masked: str) -> None:
    assert masked_name(name) == masked
