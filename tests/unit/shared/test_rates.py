from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rates import from_ppm, parse_rate, rate_text, to_ppm


@given(st.integers(-(10**9), 10**9))
def test_six_decimals_come_back_exactly(ppm: int) -> None:
    rate = from_ppm(ppm)
    assert parse_rate(rate_text(rate)) == rate
    assert to_ppm(rate) == ppm


@given(st.integers(0, 10**6))
def test_a_json_number_means_what_was_written(ppm: int) -> None:
    """0.2 arrives as the nearest binary fraction; its shortest text is what the caller typed."""
    assert to_ppm(parse_rate(ppm / 10**6)) == ppm


@pytest.mark.parametrize(
    ("given_as", "text"),
    [
        ("0.20", "0.2"),
        (0.2, "0.2"),
        ("1", "1"),
        (1, "1"),
        (Decimal("0.333333"), "0.333333"),
        ("0.0", "0"),
        ("1e-6", "0.000001"),
        ("100", "100"),
        ("-0.5", "-0.5"),
    ],
)
def test_wire_form_has_no_trailing_zeros(given_as: object, text: str) -> None:
    assert rate_text(parse_rate(given_as)) == text


@pytest.mark.parametrize(
    "wrong",
    [
        "0.1234567",
        1e-7,
        "",
        " ",
        "0.2 ",
        "０.２",
        "1/5",
        "20%",
        "nan",
        "inf",
        "1e999",
        None,
        True,
        [],
        {},
        b"0.2",
    ],
)
def test_what_is_no_rate_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"must|at most|out of range"):
        parse_rate(wrong)


@given(st.text(max_size=60))
def test_any_text_is_a_rate_or_a_value_error(text: str) -> None:
    try:
        rate = parse_rate(text)
    except ValueError:
        return
    assert rate.is_finite()
    assert from_ppm(to_ppm(rate)) == rate
